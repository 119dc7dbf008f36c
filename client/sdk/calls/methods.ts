/** Every operation of the table as a method, named in camelCase. */
import {
  MILLISECONDS,
  OPERATION_NAMES,
  type OPERATIONS,
  type OperationName,
  type OptionRules,
  type Params,
  type Result,
} from "../../../shared/index.ts";
import { newKey } from "./ids.ts";

export interface CallOptions {
  /** How long the answer may take, in milliseconds; the operation's own `wait_ms` comes on top. */
  timeout_ms?: number;
}

export const CALL_RULES: OptionRules<CallOptions> = { timeout_ms: MILLISECONDS };

/** Parameters may be left out where none is required. */
export type CallArguments<N extends OperationName> =
  Record<never, never> extends Params<N>
    ? [params?: Params<N>, options?: CallOptions]
    : [params: Params<N>, options?: CallOptions];

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/**
 * `send` gives more than its result, `presence` all pages, and `events` is the name of the iterator: `call` reaches them
 * bare.
 */
const OWN = ["send", "presence", "events"] as const;

type Derived = Exclude<OperationName, (typeof OWN)[number]>;

/** `Params` and `Result` say what each takes and gives, `docs/PROTOCOL.md` what it does. */
export type OperationMethods = { [N in Derived as Camel<N>]: (...args: CallArguments<N>) => Promise<Result<N>> };

abstract class OperationCaller {
  /**
   * Carries out any operation by its name, as `docs/PROTOCOL.md` describes it.
   *
   * @param operation its name in snake_case.
   * @param params what it takes: times in milliseconds (`_ms`), sizes in bytes (`_bytes`). Left out where all may be.
   * @param options `timeout_ms`: how long the answer may take, in milliseconds; `wait_ms` comes on top. 30000, or
   *   `call_timeout_ms` of the connection
   * @throws HubError what the hub refuses; CallTimeout, ConnectionLost, HubClosed, HubRefused; TypeError when the
   *   parameters are not an object, or for an unknown option.
   * @example const task = await hub.call("claim_next", { wait_ms: 20_000 }, { timeout_ms: 5_000 });
   */
  abstract call<N extends OperationName>(operation: N, ...args: CallArguments<N>): Promise<Result<N>>;
}

/** The base of the hub: `call`, and every operation in its terms. */
export const Operations = withMethods(OperationCaller);

function withMethods(base: typeof OperationCaller) {
  abstract class WithMethods extends base {}
  for (const name of OPERATION_NAMES.filter(isDerived)) {
    Object.defineProperty(WithMethods.prototype, camel(name), {
      value(this: OperationCaller, ...args: CallArguments<typeof name>) {
        return this.call(name, ...args);
      },
    });
  }
  return WithMethods as unknown as abstract new () => OperationCaller & OperationMethods;
}

function isDerived(name: OperationName): name is Derived {
  return !(OWN as readonly OperationName[]).includes(name);
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

type Keyed = { [N in OperationName]: (typeof OPERATIONS)[N]["repeat"] extends "keyed" ? N : never }[OperationName];

/** The parameter that makes a repeat of an operation safe. */
const KEYS: Record<Keyed, string> = { send: "idempotency_key", claim: "claim_key", claim_next: "claim_key" };

/** An update to in_progress is a claim, too. */
const keyFor = (operation: OperationName, params: object) =>
  operation === "update" && (params as Params<"update">).status === "in_progress"
    ? KEYS.claim
    : (KEYS as Partial<Record<OperationName, string>>)[operation];

/**
 * The parameters with a key of their own, where the operation takes one and the caller gave none. It is written twice:
 * last, as theirs may be undefined, and first, so that they are not spread first (see `extended`, which is not for keys
 * of a caller's choosing).
 */
export function withKey(operation: OperationName, params: object): object {
  const key = keyFor(operation, params);
  return key === undefined || (params as Record<string, unknown>)[key] !== undefined
    ? params
    : { [key]: "", ...params, [key]: newKey() };
}
