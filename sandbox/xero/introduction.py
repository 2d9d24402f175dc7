"""How a ledger introduces the firm whose books it keeps."""

from sandbox.organisation import Organisation
from sandbox.xero.dates import instant
from sandbox.xero.rows import Row

_VERSIONS = {"GB": "UK", "NZ": "NZ", "AU": "AU", "US": "US"}


def organisation_row(firm: Organisation) -> Row:
    return {
        "OrganisationID": firm.id,
        "APIKey": "",
        "Name": firm.name,
        "LegalName": firm.name,
        "PaysTax": True,
        "Version": _VERSIONS.get(firm.country, "GLOBAL"),
        "OrganisationType": "COMPANY",
        "BaseCurrency": firm.currency,
        "CountryCode": firm.country,
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Inclusive",
        "CreatedDateUTC": instant(firm.created),
        "OrganisationEntityType": "COMPANY",
        "Timezone": firm.timezone,
        "ShortCode": firm.short_code,
        "Class": "STANDARD",
        "Edition": "BUSINESS",
        "LineOfBusiness": "Trades and construction",
        "Addresses": [
            {
                "AddressType": "STREET",
                "AddressLine1": "4 Mill Lane",
                "City": "Oaktown",
                "Region": "",
                "PostalCode": "OK12 3TN",
                "Country": "United Kingdom" if firm.country == "GB" else "",
                "AttentionTo": "",
            }
        ],
        "Phones": [
            {"PhoneType": "OFFICE", "PhoneNumber": "496 0123", "PhoneAreaCode": "0161", "PhoneCountryCode": "44"}
        ],
        "ExternalLinks": [],
        "PaymentTerms": {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}},
    }
