/** One example of every operation, from one small story: a front end sends a task, a back end does it. */
import type { OperationName, Params, Result } from "../../shared/operations/index.ts";

type Examples = { [N in OperationName]: { params: Params<N>; result: Result<N> } };

const id = "019ab6a1f0c47d3e9c5b8a7f6e5d4c3b";
const at = (seconds: number) => `2026-11-22T10:30:${String(seconds).padStart(2, "0")}.000Z`;
const cursorAt = (seq: number) => `5f0c2a9be871.${seq}`;

const pending = {
  id,
  from_claude: "windows_frontend",
  to_claude: "server_backend",
  task: "Scrape RSS feeds",
  context: "Financial sources, the last 24 hours",
  type: "task",
  status: "pending",
  created_at: at(0),
  updated_at: at(0),
  attempt: 0,
  tries_left: 3,
  seq: 4710,
} as const;

const claimed = {
  ...pending,
  status: "in_progress",
  updated_at: at(2),
  attempt: 1,
  tries_left: 2,
  claimed_by: "server_backend",
  claimed_at: at(2),
  lease_until: at(32),
  seq: 4711,
} as const;

const { lease_until, ...held } = claimed;
const complete = {
  ...held,
  status: "complete",
  result: "150 articles from 6 feeds",
  updated_at: at(9),
  completed_at: at(9),
  seq: 4712,
} as const;
const failed = {
  ...held,
  status: "failed",
  error: "The feed answers 403",
  failure: "error",
  updated_at: at(9),
  completed_at: at(9),
  seq: 4712,
} as const;

const info = {
  name: "coordination-hub",
  version: "0.1.0",
  protocol: 1,
  epoch: "5f0c2a9be871",
  cursor: cursorAt(4712),
  time: at(10),
  limits: { task_bytes: 65_536, page_events: 500 },
} as const;

const nightly = {
  name: "nightly",
  cron: "0 3 * * *",
  timezone: "Europe/Berlin",
  message: { from_claude: "windows_frontend", to_claude: "server_backend", task: "Back the database up" },
} as const;

const schedule = {
  ...nightly,
  missed: "once",
  overlap: "skip",
  enabled: true,
  created_at: at(0),
  updated_at: at(0),
  next_at: "2026-11-23T02:00:00.000Z",
} as const;

const upcoming = [23, 24, 25, 26, 27].map((day) => `2026-11-${day}T02:00:00.000Z`);
const scrape = {
  name: "scrape",
  description: "Scrapes one feed",
  parameters: {
    type: "object",
    properties: { feed: { type: "string" }, hours: { type: "integer", default: 24 } },
    required: ["feed"],
  },
  message: { to_claude: "server_backend", task: "Scrape {{feed}}, the last {{hours}} hours", priority: "high" },
} satisfies Params<"template_put">;

const put = { created_at: at(0), updated_at: at(5), updated_by: "windows_frontend" };

export const EXAMPLES: Examples = {
  send: {
    params: {
      from_claude: "windows_frontend",
      to_claude: "server_backend",
      task: "Scrape RSS feeds",
      context: "Financial sources, the last 24 hours",
      idempotency_key: "019ab6a1-f0c4-send-1",
    },
    result: {
      message: pending,
      recipient: { state: "online", last_seen: at(0), waiting: 1, oldest_waiting: at(0), wake: "connected" },
      deduplicated: false,
    },
  },
  list: {
    params: { to_claude: "server_backend", status: "pending" },
    result: { messages: [pending], count: 1, cursor: cursorAt(4710) },
  },
  get: { params: { id }, result: pending },
  update: { params: { id, status: "complete", result: "150 articles from 6 feeds" }, result: complete },
  delete: { params: { id }, result: { id, deleted: true } },
  stats: { params: {}, result: { total: 145, pending: 3, in_progress: 1, complete: 140, failed: 1 } },
  heartbeat: { params: { claude_id: "server_backend" }, result: { timestamp: at(5), claude_id: "server_backend" } },
  claim: { params: { id, claim_key: "019ab6a1-f0c6-claim-1" }, result: claimed },
  claim_next: { params: { for_claude: "server_backend", wait_ms: 30_000 }, result: claimed },
  complete: { params: { id, attempt: 1, result: "150 articles from 6 feeds" }, result: complete },
  fail: { params: { id, attempt: 1, error: "The feed answers 403" }, result: failed },
  release: { params: { id, attempt: 1 }, result: { ...pending, updated_at: at(4), attempt: 1, seq: 4712 } },
  extend: { params: { id, attempt: 1, lease_ms: 600_000 }, result: claimed },
  progress: {
    params: { id, attempt: 1, percent: 40, note: "3 of 6 feeds" },
    result: { ...claimed, progress: { at: at(3), percent: 40, note: "3 of 6 feeds" }, updated_at: at(3), seq: 4712 },
  },
  cancel: {
    params: { id, reason: "The feeds are gone" },
    result: { ...failed, error: "The feeds are gone", failure: "cancelled" },
  },
  retry: { params: { id }, result: { ...pending, updated_at: at(6), attempt: 1, seq: 4714 } },
  retry_failed: { params: { to_claude: "server_backend" }, result: { count: 1, ids: [id] } },
  seen: { params: { id }, result: { ...pending, updated_at: at(1), delivered_at: at(1), seen_at: at(1), seq: 4711 } },
  received: { params: { ids: [id] }, result: { count: 1 } },
  attempts: {
    params: { id },
    result: {
      id,
      attempts: [
        {
          attempt: 1,
          claimed_by: "server_backend",
          claimed_at: at(2),
          ended_at: at(3),
          outcome: "requeued",
          error: "The feed answers 500",
        },
        { attempt: 2, claimed_by: "server_backend", claimed_at: at(9), outcome: "in_progress" },
      ],
    },
  },
  receipts: {
    params: { id },
    result: {
      id,
      receipts: [
        { recipient: "server_backend", delivered_at: at(1), seen_at: at(2), acknowledged_at: at(2) },
        { recipient: "windows_frontend", delivered_at: at(1) },
      ],
    },
  },
  chain_lift: { params: { chain_id: id, hops: 20 }, result: { chain_id: id, hops: 100, limit: 120 } },
  presence: {
    params: {},
    result: {
      version: 12,
      instances: [
        {
          claude_id: "server_backend",
          state: "online",
          since: at(0),
          last_seen: at(5),
          connections: [{ transport: "websocket", client: { name: "coordination-hub", version: "0.1.0" } }],
          roles: [],
          in_progress: 1,
          waiting: 0,
          reachability: "connected",
        },
      ],
    },
  },
  events: {
    params: { after: cursorAt(4710), for: "windows_frontend", wait_ms: 30_000 },
    result: {
      after: cursorAt(4710),
      cursor: cursorAt(4711),
      events: [
        {
          seq: 4711,
          kind: "claimed",
          at: at(2),
          actor: "server_backend",
          message: {
            id,
            from_claude: "windows_frontend",
            to_claude: "server_backend",
            type: "task",
            status: "in_progress",
            attempt: 1,
            claimed_by: "server_backend",
            lease_until: at(32),
          },
        },
      ],
    },
  },
  schedule_put: { params: nightly, result: { ...schedule, upcoming } },
  schedule_get: { params: { name: "nightly" }, result: { ...schedule, upcoming } },
  schedule_list: { params: {}, result: { schedules: [schedule], count: 1 } },
  schedule_delete: { params: { name: "nightly" }, result: { name: "nightly", deleted: true } },
  template_put: { params: scrape, result: { ...scrape, ...put } },
  template_get: { params: { name: "scrape" }, result: { ...scrape, ...put } },
  template_list: {
    params: {},
    result: {
      templates: [{ name: "scrape", kind: "message", description: scrape.description, ...put }],
      count: 1,
    },
  },
  template_delete: { params: { name: "scrape" }, result: { name: "scrape", deleted: true } },
  info: { params: {}, result: info },
};
