/** When an instance is online, stale or offline: every way from one to the other, to the second. */
import { beforeEach, describe, expect, test } from "vitest";
import { momentOf } from "../../../server/clock.ts";
import { BEATS_UNWRITTEN_MS, type Connection, Instances } from "../../../server/presence/instances.ts";
import { LIVENESS } from "../../../shared/defaults.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { ManualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";

const { leave_ms: LEAVE, fresh_min_ms: FRESH, stale_ms: STALE } = LIVENESS;
const INTERVAL = 60_000;
const DAY = 24 * 3_600_000;

/** Instances, a clock that sweeps as it goes, and what was told. */
class Room {
  readonly clock = new ManualClock();
  /** State and time of every transition, counted from the start. */
  readonly transitions: [string, number][] = [];
  /** How often anything that shows has changed. */
  changes = 0;
  readonly instances = new Instances((_, transition) => {
    this.changes++;
    if (transition) this.transitions.push([transition.state, transition.at - this.#start]);
  });
  readonly #start = this.clock.now();

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(1_000, left));
      this.instances.sweep(momentOf(this.clock));
    }
  }

  connect(transport: Connection["transport"] = "websocket"): Connection {
    const connection: Connection = { transport, run: null };
    this.instances.connect("ada", connection, this.clock.now());
    return connection;
  }

  leave(connection: Connection, goodbye = false): void {
    this.instances.disconnect("ada", connection, goodbye, momentOf(this.clock));
  }

  beat(intervalMs?: number): void {
    this.instances.beat("ada", intervalMs, momentOf(this.clock));
  }

  get state(): string | undefined {
    return this.instances.get("ada")?.state;
  }
}

let room: Room;
beforeEach(() => {
  room = new Room();
});

describe("a connection", () => {
  test("makes an instance online for as long as it lasts", () => {
    room.connect();
    room.pass(24 * 3_600_000);
    expect(room.transitions).toEqual([["online", 0]]);
  });

  test("that breaks leaves a while for coming back", () => {
    const connection = room.connect();
    room.leave(connection);
    room.pass(LEAVE - 1);
    expect(room.state).toBe("online");
    room.pass(1);
    expect(room.transitions).toEqual([
      ["online", 0],
      ["offline", LEAVE],
    ]);
  });

  test("that says goodbye does not", () => {
    room.leave(room.connect(), true);
    expect(room.transitions).toEqual([
      ["online", 0],
      ["offline", 0],
    ]);
  });

  test("that comes back in time is no transition, however often it breaks", () => {
    for (let i = 0; i < 20; i++) {
      const connection = room.connect();
      room.pass(5_000);
      room.leave(connection);
      room.pass(LEAVE - 1_000);
    }
    room.connect();
    room.pass(10 * LEAVE);
    expect(room.transitions).toEqual([["online", 0]]);
  });

  test("is one of several: the last one counts, and how that one ends", () => {
    const [first, second, third] = [room.connect(), room.connect("sse"), room.connect("long_poll")];
    room.leave(first, true);
    room.leave(second);
    room.pass(10 * LEAVE);
    expect(room.state).toBe("online");
    room.leave(third, true);
    expect(room.state).toBe("offline");
  });

  test("that has left already leaves only once", () => {
    const [first, second] = [room.connect(), room.connect()];
    room.leave(first);
    room.leave(first, true);
    room.pass(10 * LEAVE);
    expect(room.instances.get("ada")?.connections).toEqual(new Set([second]));
    expect(room.state).toBe("online");
  });

  test("that comes while its instance is offline makes it online anew", () => {
    room.leave(room.connect(), true);
    room.pass(5_000);
    room.connect();
    expect(room.transitions).toEqual([
      ["online", 0],
      ["offline", 0],
      ["online", 5_000],
    ]);
  });
});

describe("a heartbeat", () => {
  test("counts for 75 s at least, then is overdue, then its instance is gone", () => {
    room.beat();
    room.pass(2 * STALE);
    expect(room.transitions).toEqual([
      ["online", 0],
      ["stale", FRESH],
      ["offline", FRESH + STALE],
    ]);
  });

  test("counts for two and a half of the intervals that it names", () => {
    room.beat(INTERVAL);
    room.pass(2 * STALE);
    expect(room.transitions.slice(0, 2)).toEqual([
      ["online", 0],
      ["stale", 2.5 * INTERVAL],
    ]);
    expect(2.5 * INTERVAL).toBeGreaterThan(FRESH);
  });

  test("that names more than a day counts as if it named a day", () => {
    room.beat(365 * DAY);
    room.clock.advance(2.5 * DAY - 2);
    room.pass(1);
    expect(room.state).toBe("online");
    room.pass(1);
    expect(room.state).toBe("stale");
  });

  test("that names a short interval still counts for 75 s", () => {
    room.beat(1_000);
    room.pass(FRESH - 1);
    expect(room.state).toBe("online");
    room.pass(1);
    expect(room.state).toBe("stale");
  });

  test("counts for two and a half of the largest of the last gaps, where none is named", () => {
    for (const gap of [0, 60_000, 50_000, 40_000]) {
      room.pass(gap);
      room.beat();
    }
    room.pass(2.5 * 60_000 - 1);
    expect(room.state).toBe("online");
    room.pass(1);
    expect(room.state).toBe("stale");
  });

  test("forgets gaps of long ago", () => {
    for (const gap of [0, 70_000, 30_000, 30_000, 30_000, 30_000, 30_000]) {
      room.pass(gap);
      room.beat();
    }
    room.pass(FRESH);
    expect(room.state).toBe("stale");
  });

  test("in time, again and again, is one transition and nothing to show", () => {
    room.beat(30_000);
    const { changes } = room;
    for (let i = 0; i < 100; i++) {
      room.pass(30_000);
      room.beat(30_000);
    }
    expect(room.transitions).toEqual([["online", 0]]);
    expect(room.changes).toBe(changes);
  });

  test("brings a stale instance back", () => {
    room.beat();
    room.pass(FRESH);
    room.beat();
    expect(room.transitions.map(([state]) => state)).toEqual(["online", "stale", "online"]);
  });

  test("that is fresh outlasts a connection, even one that said goodbye", () => {
    room.beat(INTERVAL);
    room.leave(room.connect(), true);
    room.pass(2.5 * INTERVAL - 1);
    expect(room.state).toBe("online");
    room.pass(1);
    expect(room.state).toBe("stale");
  });

  test("of long ago does not outlast a connection", () => {
    room.beat();
    const connection = room.connect();
    room.pass(3_600_000);
    room.leave(connection);
    room.pass(LEAVE);
    expect(room.transitions).toEqual([
      ["online", 0],
      ["offline", 3_600_000 + LEAVE],
    ]);
  });
});

describe("beyond the limit, at once,", () => {
  const HERE = { transport: "sse", run: null } as const;
  const now = () => room.clock.now();
  const beats = (name: string) => room.instances.beat(name, DAY, momentOf(room.clock));
  const hears = (name: string) => room.instances.heard(name, now());
  const connects = (name: string) => room.instances.connect(name, HERE, now());
  const states = (...names: string[]) => names.map((name) => room.instances.get(name)?.state);
  /** As many as are missing come in one way. */
  const fill = (come: (name: string) => unknown) => {
    for (let i = room.instances.count; i < LIMITS.instances; i++) come(`n${i}`);
  };

  test("those who are offline are forgotten, whoever went, or was heard of, longest ago first", () => {
    for (const name of ["first", "heard", "third", "back", "fifth"]) hears(name);
    room.leave(room.connect(), true);
    hears("heard");
    beats("back");
    fill(beats);
    const { transitions } = room;
    const before = transitions.length;
    for (const come of [hears, beats, connects]) come(`new ${come.name}`);
    expect(states("first", "heard", "third", "back", "fifth", "ada")).toEqual([
      undefined,
      "offline",
      undefined,
      "online",
      undefined,
      "offline",
    ]);
    expect(transitions.slice(before).map(([state]) => state)).toEqual(["offline", "online", "online"]);
    connects("one more");
    expect(states("ada", "heard", "new hears")).toEqual([undefined, "offline", "offline"]);
    expect(room.instances.count).toBe(LIMITS.instances);
  });

  test("those without a connection are, where nobody is offline, the first seen first, and are offline with that", () => {
    connects("there");
    for (const name of ["old", "renewed", "next"]) beats(name);
    room.pass(1_000);
    beats("renewed");
    fill(beats);
    const before = room.transitions.length;
    beats("one more");
    expect(states("there", "old", "renewed", "next")).toEqual(["online", undefined, "online", "online"]);
    connects("and another");
    expect(states("there", "renewed", "next", "n4")).toEqual(["online", "online", undefined, "online"]);
    expect(room.transitions.slice(before).map(([state]) => state)).toEqual(["offline", "online", "offline", "online"]);
    expect(room.instances.count).toBe(LIMITS.instances);
  });

  test("those with a connection stay known: who only asks is not known then, and who beats is until the next second", () => {
    fill(connects);
    hears("asks");
    expect(states("asks")).toEqual([undefined]);
    connects("another");
    expect(room.instances.count).toBe(LIMITS.instances + 1);
    beats("beats");
    expect(states("beats")).toEqual(["online"]);
    room.pass(1);
    expect(states("beats", "another", "n0")).toEqual([undefined, "online", "online"]);
  });

  test("so are those of too many whom the store knows at the start", () => {
    const record = (i: number) => ({
      claude_id: `k${i}`,
      state: "offline" as const,
      since: 0,
      beat_ms: null,
      about: null,
    });
    const known = Array.from({ length: LIMITS.instances + 2 }, (_, i) => ({ ...record(i), last_seen: 7 - (i % 7) }));
    room.instances.restore(known, 0, room.clock.awake(), 0);
    expect(room.instances.count).toBe(LIMITS.instances);
    expect(states("k5", "k6", "k13", "k20")).toEqual(["offline", undefined, undefined, "offline"]);
  });
});

describe("a restart of the hub", () => {
  const GRACE = 20_000;
  const known = (state: "online" | "stale" | "offline", beat_ms: number | null = null, thereUntil = 8) =>
    room.instances.restore(
      [{ claude_id: "ada", state, since: 7, last_seen: 8, beat_ms, about: null }],
      thereUntil,
      room.clock.awake(),
      GRACE,
    );

  test("is no transition for who comes back in time", () => {
    known("online");
    room.pass(GRACE - 1);
    room.connect();
    room.pass(10 * GRACE);
    expect(room.transitions).toEqual([]);
    expect(room.instances.get("ada")).toMatchObject({ state: "online", since: 7 });
  });

  test("is one for who does not", () => {
    known("online");
    room.pass(GRACE);
    expect(room.transitions).toEqual([["offline", GRACE]]);
  });

  test("is no transition for who beats on, however rarely", () => {
    known("online", 300_000);
    room.pass(300_000);
    room.beat(300_000);
    expect(room.transitions).toEqual([]);
  });

  test("makes stale who beat and does not any more", () => {
    known("online", 0);
    room.pass(75_000);
    expect(room.transitions).toEqual([["stale", 75_000]]);
  });

  test("does not make who beat beat again: what had passed by then has passed", () => {
    known("online", 0, 8 + BEATS_UNWRITTEN_MS + 70_000);
    room.pass(5_000);
    expect(room.transitions).toEqual([["stale", 5_000]]);
  });

  test("changes nothing for who was gone before", () => {
    known("offline");
    room.pass(10 * GRACE);
    expect(room.transitions).toEqual([]);
    expect(room.instances.get("ada")).toMatchObject({ state: "offline", since: 7, last_seen: 8 });
  });
});

test("whatever happens, an instance with a connection is online, and one without anything goes", () => {
  const random = seededRandom();
  for (let round = 0; round < 100; round++) {
    room = new Room();
    const open = new Set<Connection>();
    const leave = (connection: Connection) => open.delete(connection) && room.leave(connection, random.next() < 0.5);
    const steps = [
      () => open.add(room.connect()),
      () => room.beat(random.pick([undefined, 5_000, INTERVAL])),
      () => room.pass(random.int(60_000)),
      () => open.size > 0 && leave(random.pick([...open])),
    ];
    for (let i = 0; i < 40; i++) {
      random.pick(steps)();
      if (open.size > 0) expect(room.state).toBe("online");
    }
    for (const connection of open) leave(connection);
    room.pass(7_000_000); // longer than two and a half of the longest gap there can have been
    expect([undefined, "offline"]).toContain(room.state);
    const states = room.transitions.map(([state]) => state);
    for (const [i, state] of states.entries()) expect(state).not.toBe(states[i - 1]);
  }
});
