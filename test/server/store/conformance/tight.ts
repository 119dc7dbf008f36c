import type { Bounds } from "../../../../shared/limits.ts";

/** Bounds that a test soon reaches. */
export const TIGHT: Bounds = { pending_per_recipient: 3, pending_per_sender: 5, chain_hops: 3 };
