import type { About } from "../../../shared/presence.ts";
import type { Caller } from "../../core/message.ts";
import { type Reader, readerOf } from "../../core/view.ts";
import type { Cancellation } from "../cancellation.ts";
import type { Origin } from "./origin.ts";

/** Who is calling, as the transport found out. */
export interface Client {
  /** Number of its socket, in the order in which sockets were opened. */
  readonly socketNumber?: number;
  readonly claude_id: string | null;
  readonly run: string | null;
  /** What it says about itself; it is in the pool of each of its roles. */
  readonly about?: About | undefined;
  readonly origin: Origin;
  /** The caller as commands name it, if the transport knows whether the run is connected; otherwise it is looked up. */
  readonly caller?: Caller | undefined;
  /** Ends when the caller can no longer be answered. */
  readonly gone?: Cancellation;
}

/** A caller as a reader: its own name, and its pools. */
export const ownReader = ({ claude_id, about }: Pick<Client, "claude_id" | "about">): Reader =>
  claude_id === null ? null : readerOf(claude_id, about?.roles);
