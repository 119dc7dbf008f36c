import type { Cancellation } from "./cancellation.ts";

/** Who is calling, as the transport found out. */
export interface Client {
  readonly claude_id: string | null;
  readonly run: string | null;
  /** Ends when the caller can no longer be answered. */
  readonly gone?: Cancellation;
}
