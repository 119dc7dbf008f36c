import { prettyJson } from "./json.ts";
import { openapi } from "./openapi.ts";
import { openrpc } from "./openrpc.ts";
import { protocolPage } from "./protocolPage.ts";

/** Every generated document, by its name in docs/. */
export const documents = (): Record<string, string> => ({
  "openapi.json": prettyJson(openapi()),
  "openrpc.json": prettyJson(openrpc()),
  "PROTOCOL.md": protocolPage(),
});
