/** Pages on their way to a reader that are not acknowledged: what they take up of its window, and what they bring it. */
import { isFor } from "../../shared/addressing.ts";
import { addressesOf } from "../core/view.ts";
import type { LogEntry } from "../store/store.ts";
import { ownText } from "./ownText.ts";

interface SentPage {
  readonly upTo: number;
  readonly events: number;
  readonly bytes: number;
  /** Messages that are delivered once it is acknowledged. */
  readonly received: readonly string[];
}

export class Unacknowledged {
  #pages: SentPage[] = [];
  #events = 0;
  #bytes = 0;
  #received = 0;

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many messages the pages bring. */
  get received(): number {
    return this.#received;
  }

  sent(page: SentPage): void {
    this.#pages.push(page);
    this.#events += page.events;
    this.#bytes += page.bytes;
    this.#received += page.received.length;
  }

  /** Takes a cumulative acknowledgement. @returns ids of messages that are delivered by it. */
  acknowledge(seq: number): string[] {
    const rest = this.#pages.findIndex(({ upTo }) => upTo > seq);
    const done = this.#pages.splice(0, rest < 0 ? this.#pages.length : rest);
    for (const { events, bytes, received } of done) {
      this.#events -= events;
      this.#bytes -= bytes;
      this.#received -= received.length;
    }
    return done.flatMap(({ received }) => received);
  }
}

/** Ids of the messages that entries bring a reader: those for its addresses, and what others send to everyone. */
export function broughtTo(reader: string, entries: readonly LogEntry[]): string[] {
  const addresses = addressesOf(reader);
  const isMine = ({ from, to }: LogEntry) => isFor({ from_claude: from, to_claude: to }, addresses);
  return entries.filter((entry) => entry.kind === "new" && isMine(entry)).map(({ id }) => ownText(id));
}
