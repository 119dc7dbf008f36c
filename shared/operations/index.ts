/**
 * The operations table: the one source from which the REST router, the JSON-RPC dispatcher, the SDK's
 * methods, the command line's inputs, OpenAPI, OpenRPC and the protocol page are derived. An operation
 * that exists on one transport and not on the other cannot be written.
 */
import type * as z from "zod";
import { HUB_OPERATIONS } from "./hub.ts";
import { MESSAGE_OPERATIONS } from "./messages.ts";
import type { Operation } from "./operation.ts";
import { PRESENCE_OPERATIONS } from "./presence.ts";
import { SCHEDULE_OPERATIONS } from "./schedules.ts";
import { TASK_OPERATIONS } from "./tasks.ts";
import { TEMPLATE_OPERATIONS } from "./templates.ts";

export * from "./operation.ts";

export const OPERATIONS = {
  ...MESSAGE_OPERATIONS,
  ...TASK_OPERATIONS,
  ...PRESENCE_OPERATIONS,
  ...SCHEDULE_OPERATIONS,
  ...TEMPLATE_OPERATIONS,
  ...HUB_OPERATIONS,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
type Asked = { [N in OperationName]: z.input<(typeof OPERATIONS)[N]["params"]> };
/** The parameters of an operation; a `send` without a template must say itself who is to do what. */
export type Params<N extends OperationName> = (Omit<Asked, "send"> & {
  send: Asked["send"] &
    ({ to_claude: string; task: string; template?: undefined; params?: undefined } | { template: string });
})[N];
export type Result<N extends OperationName> = z.output<(typeof OPERATIONS)[N]["result"]>;

export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

export const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);
