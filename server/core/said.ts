/** What a sender said, from the wire's form to the hub's. */
import type { WholeMessage } from "../../shared/sendRule.ts";
import type { NewMessage } from "./create.ts";

/** With its sender, times in milliseconds. */
export const newMessage = (from_claude: string, { not_before, expires_at, ...said }: WholeMessage): NewMessage => ({
  from_claude,
  ...said,
  ...(not_before !== undefined && { not_before: Date.parse(not_before) }),
  ...(expires_at !== undefined && { expires_at: Date.parse(expires_at) }),
});
