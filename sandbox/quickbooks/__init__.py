"""The practice ledger as QuickBooks Online would show it: the same books, read through QuickBooks' own interface.

Every firm of the sandbox has a realm id beside its Xero id, so that one set of books can be reached through either
door. Below the address of the sandbox lie

    /quickbooks/oauth2/authorize                 the page on which a person allows an app in
    /quickbooks/oauth2/v1/tokens/bearer          tokens
    /quickbooks/oauth2/tokens/revoke             the end of a grant
    /quickbooks/.well-known/openid_configuration where the three above are found
    /quickbooks/v3/company/<realm>/…             the Accounting API

so that an app is told `http://host:port/quickbooks` where it would be told `https://quickbooks.api.intuit.com`.
"""
