/**
 * Presence of HTTP callers.
 *
 * - A stream of events is a connection for as long as it lasts; it keeps leases while its run asks for something, too.
 * - A run that polls for events counts as connected until 10 s after its last poll was answered; no longer once it hangs
 *   up or has another connection.
 * - Whoever waits for a task is online while it waits, but that keeps no leases.
 * - Any other request only updates when the caller was last seen.
 */
import { connect } from "../../hub/attendance.ts";
import { type Client, ownReader } from "../../hub/caller/client.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Connection } from "../../presence/instances.ts";
import { StreamLeases } from "./streamLeases.ts";

/** How long a poller may take between two polls. */
const BETWEEN_POLLS_MS = 10_000;

interface Poller {
  disconnect: (goodbye: boolean) => void;
  polls: number;
  cancelLinger: () => void;
}

export class HttpPresence {
  readonly #hub: Hub;
  readonly #pollers = new Map<string, Poller>();
  readonly #streamLeases: StreamLeases;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#streamLeases = new StreamLeases(hub);
  }

  /** A stream has begun. @returns what to call when it is over. */
  stream(client: Client): () => void {
    const { claude_id, run, about } = client;
    if (claude_id === null) return () => {};
    const { presence } = this.#hub;
    const connection: Connection = { transport: "sse", run, about };
    presence.connect(claude_id, connection);
    const letGo = run === null ? () => {} : this.#streamLeases.begin(claude_id, run);
    return () => {
      presence.disconnect(claude_id, connection, false);
      letGo();
    };
  }

  /** A request has begun. @returns what to call when it is answered. */
  request({ claude_id, run, about }: Client): () => void {
    this.#streamLeases.heard(claude_id, run);
    return () => {
      if (claude_id !== null) this.#hub.presence.heard(claude_id, about);
    };
  }

  /** A caller waits for a task. @returns what to call when it has one, or waits no longer. */
  claimWait(client: Client): () => void {
    const { claude_id, run, about } = client;
    if (claude_id === null || this.#pollers.has(pollerKey(client))) return this.request(client); // a poller is there anyway
    const connection: Connection = { transport: "long_poll", run, about };
    this.#streamLeases.heard(claude_id, run);
    this.#hub.presence.connect(claude_id, connection);
    return () => {
      this.#hub.presence.disconnect(claude_id, connection, false);
      this.#streamLeases.heard(claude_id, run);
    };
  }

  /** A poll has begun. @returns what to call when it is answered. */
  poll(client: Client): () => void {
    const { claude_id, run, about } = client;
    if (claude_id === null || run === null) return this.request(client);
    const key = pollerKey(client);
    const poller = this.#pollers.get(key) ?? this.#begin(key, claude_id, { transport: "long_poll", run, about });
    poller.polls++;
    poller.cancelLinger();
    return () => {
      poller.polls--;
      if (poller.polls > 0) return;
      const hasHungUp = client.gone?.cancelled ?? false;
      poller.cancelLinger = this.#hub.runs.linger(claude_id, run, hasHungUp ? 0 : BETWEEN_POLLS_MS, () => {
        this.#pollers.delete(key);
        poller.disconnect(false);
      });
    };
  }

  #begin(key: string, claudeId: string, connection: Connection): Poller {
    const poller: Poller = { disconnect: connect(this.#hub, claudeId, connection), polls: 0, cancelLinger: () => {} };
    this.#pollers.set(key, poller);
    return poller;
  }
}

/** With other roles it is another poller. */
const pollerKey = (client: Client) => `${ownReader(client)} ${client.run}`;
