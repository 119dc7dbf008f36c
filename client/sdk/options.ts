import {
  type About,
  ANYTHING,
  assertOptions,
  BASE_PATH,
  BOOLEAN,
  type ClientInfo,
  DEFAULT_PORT,
  FUNCTION,
  having,
  hello,
  isCursor,
  MILLISECONDS,
  NO_CURSOR,
  type OptionRules,
  oneOf,
  SOCKET_BELOW_BASE,
  validate,
} from "../../shared/index.ts";
import { assertAbout } from "./asserts.ts";
import { newRun } from "./calls/ids.ts";
import { type Clock, systemClock } from "./clock.ts";

/** How to reach the hub, and as whom. */
export interface ConnectOptions {
  /** The name of this instance. Left out: an observer, which sees everything and appears in no presence list. */
  as?: string;
  /**
   * REST base of the hub; the socket's address follows from it. `http://localhost:3000/api/coord`; in a page,
   * `/api/coord` of its own origin.
   */
  url?: string;
  /** For hubs to come: no hub checks it yet. */
  token?: string;
  /** What the instance tells of itself: host, project, roles, a note. */
  about?: About;
  /** The program that connects, as presence shows it. */
  client?: ClientInfo;
  /** The id of this life of the process, kept over reconnects; claims belong to it. A random one. */
  run?: string;
  /** Which events to see: those of messages from and to this instance, or all. `mine` with a name, else `all` */
  scope?: "mine" | "all";
  /** Say from the start that a `presence` handler will come; else the hub is told when it does. false */
  presence?: boolean;
  /** Say from the start that handlers will come, and have everything that happens held until they do. false */
  receives?: boolean;
  /** Go on from this cursor (an earlier `hub.cursor`) as soon as somebody listens, instead of from now. */
  resume?: string;
  /** How long the first connection may take, in milliseconds. 5000 */
  timeout_ms?: number;
  /** How long a call may take, in milliseconds; its own `wait_ms` comes on top. 30000 */
  call_timeout_ms?: number;
  /** `auto`: a socket, and long polling while sockets are blocked. */
  transport?: "auto" | "websocket" | "long_poll";
  /**
   * Whether the open connection keeps a Node process alive. Calls under way, awaited results and workers always do;
   * where sockets are blocked, handlers do as well. true
   */
  keep_alive?: boolean;
  /** Source of jitter, from 0 to below 1. `Math.random` */
  random?: () => number;
  /** Where time comes from: what time-outs, back-off and a task's `deadline` go by. `performance.now()`, `setTimeout` */
  clock?: Clock;
}

/** The options with every default filled in. */
export interface Config extends Required<Omit<ConnectOptions, "as" | "token" | "about" | "resume">> {
  as: string | undefined;
  token: string | undefined;
  about: About | undefined;
  resume: string | undefined;
}

export const DEFAULT_URL = `http://localhost:${DEFAULT_PORT}${BASE_PATH}`;
export const SDK_VERSION = "0.1.0";

/** `ANYTHING` is checked elsewhere. */
const RULES: OptionRules<ConnectOptions> = {
  as: ANYTHING,
  url: ANYTHING,
  token: ANYTHING,
  about: ANYTHING,
  client: ANYTHING,
  run: ANYTHING,
  scope: oneOf("mine", "all"),
  presence: BOOLEAN,
  receives: BOOLEAN,
  resume: ANYTHING,
  timeout_ms: MILLISECONDS,
  call_timeout_ms: MILLISECONDS,
  transport: oneOf("auto", "websocket", "long_poll"),
  keep_alive: BOOLEAN,
  random: FUNCTION,
  clock: having("now", "after"),
};

/** What every transport tells the hub. */
const TOLD = hello.pick({ token: true, about: true, run: true, client: true }).extend({ as: hello.shape.claude_id });

/** @throws TypeError for an unknown option or one of the wrong type; undefined counts as omitted. */
export function toConfig(options: ConnectOptions): Config {
  assertOptions(options, RULES);
  assertAbout(options.about);
  if (options.resume !== undefined && !isCursor(options.resume)) {
    throw new TypeError(`resume ${NO_CURSOR}`);
  }
  const config: Config = {
    as: options.as,
    url: hubUrl(options.url),
    token: options.token,
    about: options.about,
    client: options.client ?? { name: "coordination-hub-sdk", version: SDK_VERSION },
    run: options.run ?? newRun(),
    scope: options.scope ?? (options.as === undefined ? "all" : "mine"),
    presence: options.presence ?? false,
    receives: options.receives ?? false,
    resume: options.resume,
    timeout_ms: options.timeout_ms ?? 5_000,
    call_timeout_ms: options.call_timeout_ms ?? 30_000,
    transport: options.transport ?? "auto",
    keep_alive: options.keep_alive ?? true,
    random: options.random ?? Math.random,
    clock: options.clock ?? systemClock,
  };
  assertTellable(config);
  return config;
}

/** Each transport tells it in its own way, and not every one is told what is wrong with it. @throws TypeError */
function assertTellable({ as, token, about, run, client }: Config): void {
  try {
    validate(TOLD, { as, token, about, run, client });
  } catch (error) {
    throw new TypeError((error as Error).message);
  }
}

/** In a page, the hub that serves it: of pages from elsewhere it would hear nothing. */
function ownOrigin(): string | undefined {
  const { origin = "" } = (globalThis as { location?: { origin?: string } }).location ?? {};
  return /^https?:/.test(origin) ? `${origin}${BASE_PATH}` : undefined;
}

/** The REST base of a hub, without slashes at its end; the default one where none is given. @throws TypeError */
export function hubUrl(given?: string): string {
  const text = given ?? ownOrigin() ?? DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new TypeError(`url must begin with http:// or https://, as ${DEFAULT_URL} does: ${text}`);
  }
  return url.href.replace(/\/+$/, "");
}

/** The address of the socket that belongs to a REST base. */
export const socketUrl = (base: string) => `${base.replace(/^http/, "ws")}${SOCKET_BELOW_BASE}`;
