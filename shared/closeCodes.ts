/**
 * Why a socket closes and what its client does then. Old clients obey codes they do not know by range:
 * 4000–4499 come back, 4500–4999 do not.
 */
interface CloseRow {
  code: number;
  reason: string;
  /** `return` comes back with back-off, `spread` after a random part of the time the hub named, `stop` does not. */
  client: "return" | "spread" | "stop";
}

export const CLOSE = {
  goodbye: { code: 1000, reason: "goodbye", client: "stop" },
  goingAway: { code: 1001, reason: "going away", client: "spread" },
  policy: { code: 1008, reason: "policy violation", client: "stop" },
  tooBig: { code: 1009, reason: "frame too big", client: "stop" },
  restarting: { code: 1012, reason: "restarting", client: "spread" },
  noHello: { code: 4000, reason: "no hello in time", client: "return" },
  silent: { code: 4001, reason: "nothing heard", client: "return" },
  hubSilent: { code: 4003, reason: "the hub was silent", client: "return" },
  reopened: { code: 4004, reason: "opening again", client: "return" },
  pruned: { code: 4005, reason: "the log was pruned past your cursor", client: "return" },
  unsupportedVersion: { code: 4500, reason: "unsupported protocol", client: "stop" },
  badToken: { code: 4501, reason: "bad token", client: "stop" },
  nameTaken: { code: 4502, reason: "name taken over", client: "stop" },
} as const satisfies Record<string, CloseRow>;

const byCode = new Map<number, CloseRow>(Object.values(CLOSE).map((row) => [row.code, row]));

/** What a client does after a close with this code, known or not. */
export function afterClose(code: number): CloseRow["client"] {
  const known = byCode.get(code);
  if (known) return known.client;
  return code >= 4500 && code <= 4999 ? "stop" : "return";
}
