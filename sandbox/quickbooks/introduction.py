"""How QuickBooks introduces the company whose books it keeps: name and address, preferences, currencies and terms."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.quickbooks.dates import stamp

if TYPE_CHECKING:
    from sandbox.quickbooks.company import Company

Row = dict[str, Any]
CURRENCIES = {
    "GBP": "British Pound Sterling",
    "EUR": "Euro",
    "USD": "United States Dollar",
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "CAD": "Canadian Dollar",
}
TERMS = ((0, "Due on receipt"), (7, "Net 7"), (14, "Net 14"), (30, "Net 30"), (60, "Net 60"))


def currency_ref(code: str) -> Row:
    return {"value": code, "name": CURRENCIES.get(code, code)}


def term_ref(days: int) -> Row:
    """The term with that many days, or the next longer one."""
    for number, (length, name) in enumerate(TERMS, 1):
        if days <= length:
            return {"value": str(number), "name": name}
    return {"value": str(len(TERMS)), "name": TERMS[-1][1]}


def company_info(company: "Company") -> Row:
    firm = company.firm
    return {
        "CompanyName": firm.name,
        "LegalName": firm.name,
        "CompanyAddr": {"Id": "1", "Line1": "4 Mill Lane", "City": "Oaktown", "Country": firm.country},
        "CustomerCommunicationAddr": {"Id": "1", "Line1": "4 Mill Lane", "City": "Oaktown"},
        "PrimaryPhone": {"FreeFormNumber": "+44 161 496 0123"},
        "CompanyStartDate": firm.created.date().isoformat(),
        "FiscalYearStartMonth": "April",
        "Country": firm.country,
        "Email": {"Address": f"office@{firm.mail_domain}"},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "DefaultTimeZone": firm.zone.key,
        "NameValue": [
            {"Name": "IndustryType", "Value": "Trades and construction"},
            {"Name": "SubscriptionStatus", "Value": "SUBSCRIBED"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
        ],
        **_head(company),
    }


def preferences(company: "Company") -> Row:
    home = company.firm.currency
    return {
        "AccountingInfoPrefs": {"UseAccountNumbers": False, "CustomerTerminology": "Customers"},
        "SalesFormsPrefs": {
            "AllowDeposit": True,
            "AllowDiscount": True,
            "DefaultTerms": {"value": "4"},
            "IPNSupportEnabled": False,
            "ETransactionEnabledStatus": "Enabled" if company.habits.online_payments else "NotApplicable",
        },
        "EmailMessagesPrefs": {},
        "CurrencyPrefs": {"MultiCurrencyEnabled": company.multicurrency, "HomeCurrency": {"value": home}},
        "OtherPrefs": {"NameValue": []},
        **_head(company),
    }


def terms(company: "Company") -> list[Row]:
    return [
        {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days, "DiscountDays": 0}
        | _head(company)
        | {"Id": str(number)}
        for number, (days, name) in enumerate(TERMS, 1)
    ]


def services(company: "Company") -> list[Row]:
    """The one thing that the firm sells, as a line of an invoice refers to it."""
    return [{"Name": "Services", "Active": True, "FullyQualifiedName": "Services", "Type": "Service"} | _head(company)]


FIXED: dict[str, Callable[["Company"], list[Row]]] = {
    "CompanyInfo": lambda company: [company_info(company)],
    "Preferences": lambda company: [preferences(company)],
    "Term": terms,
    "Item": services,
}


def _head(company: "Company") -> Row:
    at = stamp(company.firm.created)
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
        "MetaData": {"CreateTime": at, "LastUpdatedTime": at},
    }
