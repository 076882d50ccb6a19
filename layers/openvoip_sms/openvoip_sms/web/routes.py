"""What each route of the API needs of its caller, in one table."""

from collections.abc import Mapping
from enum import StrEnum

from openvoip_sms.web.proxy_event import ProxyEvent

type Route = tuple[str, str]


class Need(StrEnum):
    """`API_KEY` is checked by API Gateway; `ADMIN_KEY` by us, in addition."""

    NOTHING = "nothing"
    API_KEY = "api_key"
    ADMIN_KEY = "admin_key"


# A shop's key sends, and shows what was sent; what a person decides needs the admin key as well.
NEEDS: Mapping[Route, Need] = {
    ("GET", "/health"): Need.NOTHING,
    ("POST", "/messages"): Need.API_KEY,
    ("GET", "/messages"): Need.API_KEY,
    ("GET", "/messages/{id}"): Need.API_KEY,
    ("POST", "/messages/{id}/cancel"): Need.API_KEY,
    ("POST", "/messages/{id}/resend"): Need.ADMIN_KEY,
    ("POST", "/messages/{id}/confirm"): Need.ADMIN_KEY,
    ("POST", "/resolutions"): Need.ADMIN_KEY,
    ("GET", "/sending"): Need.API_KEY,
    ("PUT", "/sending"): Need.ADMIN_KEY,
    ("GET", "/usage"): Need.API_KEY,
}


def route_of(event: ProxyEvent) -> Route:
    return event["httpMethod"], event["resource"]


def need_of(route: Route) -> Need:
    """A route that the table lacks needs the most."""
    return NEEDS.get(route, Need.ADMIN_KEY)
