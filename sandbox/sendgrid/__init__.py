"""A practice SendGrid: the firm's letters go out by its API, and what becomes of them is told by signed posts.

It takes mails as SendGrid's reference says (https://www.twilio.com/docs/sendgrid/api-reference), keeps its Email Logs,
tells of deliveries by the Event Webhook and hands in answers by Inbound Parse. The letters lie in the same post office
as those sent by SMTP, so the practice debtors read and answer them alike.
"""
