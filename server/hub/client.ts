import type { Caller } from "../core/message.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Origin } from "./origin.ts";

/** Who is calling, as the transport found out. */
export interface Client {
  readonly claude_id: string | null;
  readonly run: string | null;
  /** What it says that it can do: it is in the pool of each. */
  readonly roles?: readonly string[];
  readonly origin: Origin;
  /** The same for the store, where the transport knows already whether the run is connected. */
  readonly caller?: Caller | undefined;
  /** Ends when the caller can no longer be answered. */
  readonly gone?: Cancellation;
}
