import type { About } from "../../../shared/index.ts";

/** Who calls, as far as given. */
export interface CallerIdentity {
  as?: string | undefined;
  run?: string | undefined;
  token?: string | undefined;
  about?: About | undefined;
}

/** The headers that say who calls. */
export function callerHeaders({ as, run, token, about }: CallerIdentity): Record<string, string> {
  return {
    ...(as !== undefined && { "X-Claude-Id": as }),
    ...(run !== undefined && { "X-Claude-Run": run }),
    ...(about && aboutHeaders(about)),
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  };
}

const aboutHeaders = ({ roles, ...rest }: About) => ({
  ...(roles && { "X-Claude-Roles": roles.join(", ") }),
  "X-Claude-About": JSON.stringify(rest).replace(NOT_ASCII, escaped),
});

const NOT_ASCII = /[^\x20-\x7e]/g;
const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
