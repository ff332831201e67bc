"""The numbered refusals of the v5 API: HTTP statuses are coarse, the code in the body carries the meaning."""

from prospect_sync.sandbox.org_error import OrgError

_MESSAGES = {
    3: "Invalid prospect ID",
    4: "Invalid prospect email address",
    7: "Invalid time parameter",
    8: "The start of the time range lies after its end",
    9: "A prospect with the specified email address already exists",
    10: "Invalid user ID",
    13: "Missing required parameter",
    16: "Invalid ID",
    23: "Invalid limit",
    38: "Invalid campaign ID",
    39: "Invalid profile ID",
    46: "The API user is not allowed to do this operation",
    50: "Input needs to be a boolean",
    51: "Invalid parameter",
    52: "Parameter out of range",
    54: "Email address is already in use by another prospect",
    56: "Input needs to be a number",
    57: "Input needs to be a date",
    60: "Invalid HTTP request method for this call",
    61: "Invalid prospect account ID",
    62: "The update collided with another one",
    66: "You have exceeded your concurrent request limit. Please wait before trying again",
    79: "Invalid CRM ID",
    81: "Prospect ID and CRM ID belong to different prospects",
    85: "Unable to save the prospect",
    109: "The requested record was not found.",
    122: "Daily API rate limit met",
    125: "userId and salesforceOwnerId may not be sent together",
    150: "The request body is not valid JSON",
    151: "The content type is not supported",
    152: "The request body is empty",
    153: "A required property is missing",
    180: "Invalid or unwritable field",
    181: "Missing required header",
    182: "Invalid header value",
    183: "Internal error, please try again",
    184: "access_token is invalid, unknown, or malformed",
    192: "The requested object does not exist",
    198: "The requested endpoint does not exist",
    201: "The business unit was not found or is inactive",
    202: "Rate limit exceeded",
    209: "Filters on more than 3 distinct fields are not allowed",
    210: "The page token has expired",
    211: "Invalid page token",
    214: "The request timed out",
    219: "The record is deleted; undelete it before updating",
    224: "The field is not allowed in this kind of request",
    244: "The record could not be saved, please try again",
}
_STATUSES = {3: 404, 109: 404, 192: 404, 198: 404, 184: 401, 60: 405, 183: 500, 66: 429, 122: 429}


def refusal(code: int, detail: str = "", *, status: int | None = None) -> OrgError:
    """Make the vendor's refusal: its status, and a body of `code` and `message`."""
    message = _MESSAGES.get(code, "The request was refused")
    return OrgError(
        status or _STATUSES.get(code, 400),
        {"code": code, "message": f"{message}: {detail}" if detail else message},
    )
