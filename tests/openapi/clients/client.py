"""What a program does with openapi-python-client's: sign in, save, page, change, meet a conflict, throw away."""

import sys

from coffer_client import AuthenticatedClient, Client
from coffer_client.api.account import sign_in
from coffer_client.api.resources import create_resource, list_resources, trash_resource, update_resource
from coffer_client.models import (
    Change,
    Credentials,
    Draft,
    ErrorCode,
    Problem,
    ResourceBody,
    ResourceList,
    TokenPair,
)

origin, login, password = sys.argv[1:]
tokens = sign_in.sync(client=Client(origin), body=Credentials(login=login, password=password))
assert isinstance(tokens, TokenPair), tokens
coffer = AuthenticatedClient(origin, tokens.access_token)

saved = create_resource.sync_detailed(client=coffer, body=Draft(url="https://example.org/python", tags=["client"]))
assert isinstance(saved.parsed, ResourceBody), saved
entry, etag = saved.parsed, saved.headers["etag"]

ids = []
cursor = ""
while True:
    page = list_resources.sync(client=coffer, limit=7, cursor=cursor)
    assert isinstance(page, ResourceList), page
    ids += [item.id for item in page.items]
    if not isinstance(page.next_cursor, str):
        break
    cursor = page.next_cursor
assert entry.id in ids and len(set(ids)) == len(ids), "every entry once"

changed = update_resource.sync(entry.id, client=coffer, body=Change(title="First"), if_match=etag)
assert isinstance(changed, ResourceBody) and changed.version == 2, changed
conflict = update_resource.sync(entry.id, client=coffer, body=Change(title="Second"), if_match=etag)
assert isinstance(conflict, Problem) and conflict.code is ErrorCode.VERSION_CONFLICT, conflict
assert conflict.current_version == 2, conflict

gone = trash_resource.sync_detailed(entry.id, client=coffer)
assert gone.status_code == 204, gone
