import { openapi } from "./openapi.ts";
import { openrpc } from "./openrpc.ts";
import { protocolPage } from "./protocolPage.ts";

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Every generated document, by its name in docs/. */
export const documents = (): Record<string, string> => ({
  "openapi.json": json(openapi()),
  "openrpc.json": json(openrpc()),
  "PROTOCOL.md": protocolPage(),
});
