/**
 * Clients as lean as each protocol allows, for measuring servers with thousands of connections: a reader gets events
 * and counts them, a publisher sends events to all readers.
 */

export interface Connection {
  close(): Promise<void>;
}

export interface Publisher extends Connection {
  /** Publishes so many events at once. */
  publish(count: number): void;
}

export interface LeanClient {
  /** Connects and subscribes; `onEvents` is told how many events came. */
  reader(port: number, index: number, onEvents: (count: number) => void): Promise<Connection>;
  publisher(port: number): Promise<Publisher>;
}

/** What is published where the publisher chooses the bytes: as much as the hub's own event of a short chat. */
export const EVENT = {
  seq: 4711,
  kind: "new",
  at: "2026-11-22T10:30:00.123Z",
  actor: "bench_publisher",
  message: {
    id: "019aa5d3c1f07000a1b2c3d4e5f60718",
    from_claude: "bench_publisher",
    to_claude: "bench_reader",
    task: "ready",
    type: "chat",
    status: "pending",
    created_at: "2026-11-22T10:30:00.123Z",
    updated_at: "2026-11-22T10:30:00.123Z",
    seq: 4711,
  },
};

const AT_ONCE = 100;

/** Opens many connections, a few at a time: a server's backlog is bounded. */
export async function openMany<T>(count: number, open: (index: number) => Promise<T>): Promise<T[]> {
  const opened: T[] = [];
  while (opened.length < count) {
    const from = opened.length;
    const batch = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => open(from + i));
    opened.push(...(await Promise.all(batch)));
  }
  return opened;
}
