import { expect, it } from "vitest";
import {
  type Action,
  type ConnectionState,
  OCCURRENCES,
  type Occurrence,
  STATES,
  TRANSITIONS,
} from "../../../../client/sdk/connection/connectionStates.ts";

/** Where a course of events leads from `idle`, with everything that is done on the way. */
function follow(...course: Occurrence[]) {
  const actions: string[] = [];
  let state: ConnectionState = "idle";
  for (const occurrence of course) {
    const [next, ...more]: readonly string[] = TRANSITIONS[state][occurrence];
    state = next as ConnectionState;
    actions.push(...more);
  }
  return { state, actions };
}

it("goes online over an attempt and a hello", () => {
  expect(follow("start", "opened", "welcomed")).toEqual({ state: "online", actions: ["attempt", "greet", "adopt"] });
});

it("schedules the next attempt after a loss, and tries the fallback only when the socket never opened", () => {
  expect(follow("start", "opened", "welcomed", "lost").actions.slice(3)).toEqual(["drop", "schedule"]);
  expect(follow("start", "lost").actions.slice(1)).toEqual(["schedule", "poll"]);
});

it("is served by the fallback while it goes on trying, and leaves it once the socket is welcomed", () => {
  expect(follow("start", "lost", "answered").state).toBe("polling");
  expect(follow("start", "lost", "answered", "due").state).toBe("probing");
  expect(follow("start", "lost", "answered", "due", "lost").state).toBe("polling");
  const back = follow("start", "lost", "answered", "due", "opened", "welcomed");
  expect(back).toMatchObject({ state: "online" });
  expect(back.actions.slice(-2)).toEqual(["greet", "adopt"]);
});

it("does not let a socket that opens and says nothing keep the fallback from serving", () => {
  const { state, actions } = follow("start", "opened", "slow", "answered");
  expect(state).toBe("polling");
  expect(actions.slice(-4)).toEqual(["poll", "hangUp", "schedule", "adopt"]);
});

it("tries a fallback that was cut again, without waiting for the socket's next attempt", () => {
  const served = ["start", "lost", "answered"] as const;
  expect(follow(...served, "cut").actions.slice(-2)).toEqual(["drop", "pollLater"]);
  expect(follow(...served, "cut", "pollDue", "answered").state).toBe("polling");
  expect(follow(...served, "due", "cut", "pollDue", "answered").state).toBe("probing");
  expect(follow(...served, "cut", "pollDue", "cut").actions.slice(-2)).toEqual(["poll", "pollLater"]);
});

it("says hello anew also on a fallback that was told the old one and may answer yet", () => {
  expect(follow("start", "slow", "reopen")).toEqual({ state: "connecting", actions: ["attempt", "poll", "repoll"] });
  expect(follow("start", "lost", "reopen").actions.slice(-3)).toEqual(["schedule", "poll", "repoll"]);
  expect(follow("start", "opened", "slow", "reopen").actions.slice(-3)).toEqual(["poll", "redial", "repoll"]);
  expect(follow("start", "opened", "reopen", "down").actions.slice(-3)).toEqual(["redial", "repoll", "attempt"]);
});

it("says goodbye and is closed for good", () => {
  expect(follow("start", "close", "ended")).toEqual({ state: "closed", actions: ["attempt", "goodbye", "finish"] });
  expect(follow("start", "refused").state).toBe("closed");
  for (const occurrence of OCCURRENCES) expect(TRANSITIONS.closed[occurrence]).toEqual(["closed"]);
});

it("tells everybody who waits, exactly once, when it is over", () => {
  for (const state of STATES) {
    for (const occurrence of OCCURRENCES) {
      const [next, ...actions]: readonly string[] = TRANSITIONS[state][occurrence];
      const ends = next === "closed" && state !== "closed";
      expect(actions.filter((action) => action === "finish")).toHaveLength(ends ? 1 : 0);
    }
  }
});

it("lets a line serve exactly in the states that say so", () => {
  const serves = (state: ConnectionState) => ["online", "polling", "probing"].includes(state);
  for (const state of STATES) {
    for (const occurrence of OCCURRENCES) {
      const [next, ...actions]: readonly string[] = TRANSITIONS[state][occurrence];
      if (actions.includes("adopt")) expect(serves(next as ConnectionState)).toBe(true);
      if (actions.includes("drop")) expect(serves(next as ConnectionState)).toBe(false);
    }
  }
});

it("can always be closed", () => {
  for (const state of STATES) {
    const [next]: readonly string[] = TRANSITIONS[state].close;
    expect(["closing", "closed"]).toContain(next);
  }
});

/** The two lines and the timer, as far as the table knows them. */
interface World {
  state: ConnectionState;
  primary: "none" | "attempts" | "greeted" | "serves" | "closes";
  fallback: "none" | "asked" | "serves" | "later";
  isDue: boolean;
}

const IS_OPEN = ["asked", "serves"];
const CAN_BE_LOST = ["attempts", "greeted", "serves"];

const POSSIBLE: Record<Occurrence, (world: World) => boolean> = {
  start: () => true,
  opened: ({ primary }) => primary === "attempts",
  welcomed: ({ primary }) => primary === "greeted",
  lost: ({ primary }) => CAN_BE_LOST.includes(primary),
  down: ({ primary }) => primary === "closes",
  answered: ({ fallback }) => fallback === "asked",
  cut: ({ fallback }) => IS_OPEN.includes(fallback),
  due: ({ isDue }) => isDue,
  pollDue: ({ fallback }) => fallback === "later",
  slow: () => true,
  reopen: () => true,
  refused: () => true,
  close: () => true,
  ended: () => true,
};

const COMES: Partial<Record<Occurrence, Partial<World>>> = {
  lost: { primary: "none" },
  down: { primary: "none" },
  welcomed: { primary: "serves", fallback: "none" },
  answered: { fallback: "serves" },
  cut: { fallback: "none" },
  pollDue: { fallback: "none" },
  due: { isDue: false },
};

const DOES: Partial<Record<Action, (world: World) => Partial<World>>> = {
  attempt: () => ({ primary: "attempts" }),
  greet: ({ fallback }) => ({ primary: "greeted", fallback: fallback === "serves" ? fallback : "none" }),
  schedule: () => ({ isDue: true }),
  poll: () => ({ fallback: "asked" }),
  pollLater: () => ({ fallback: "later" }),
  hangUp: () => ({ primary: "none" }),
  redial: () => ({ primary: "closes" }),
  repoll: ({ fallback }) => ({ fallback: IS_OPEN.includes(fallback) ? "asked" : fallback }),
};

function step(world: World, occurrence: Occurrence): World {
  const [state, ...actions] = TRANSITIONS[world.state][occurrence];
  const after = { ...world, ...COMES[occurrence], state };
  for (const action of actions) Object.assign(after, DOES[action]?.(after));
  return after;
}

/** Every world that any course of events leads to. */
function reachable(): World[] {
  const worlds = new Map<string, World>();
  const visit = (world: World) => {
    const key = JSON.stringify(world);
    if (worlds.has(key)) return;
    worlds.set(key, world);
    for (const occurrence of OCCURRENCES) if (POSSIBLE[occurrence](world)) visit(step(world, occurrence));
  };
  visit({ state: "idle", primary: "none", fallback: "none", isDue: false });
  return [...worlds.values()];
}

it("always has an attempt under way or ahead, and a line where it says so, whatever happens in which order", () => {
  const holds: Partial<Record<ConnectionState, (world: World) => boolean>> = {
    connecting: ({ primary }) => primary === "attempts" || primary === "closes",
    probing: ({ primary, fallback }) => (primary === "attempts" || primary === "closes") && fallback === "serves",
    greeting: ({ primary }) => primary === "greeted",
    online: ({ primary }) => primary === "serves",
    waiting: ({ isDue }) => isDue,
    polling: ({ isDue, fallback }) => isDue && fallback === "serves",
  };
  expect(reachable().filter((world) => holds[world.state]?.(world) === false)).toEqual([]);
});
