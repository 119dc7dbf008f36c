/** What each operation of the table does. */
import { OPERATIONS, type OperationName } from "../../../shared/operations/index.ts";
import { PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import { validate } from "../../../shared/validate.ts";
import { iso } from "../../iso.ts";
import type { Answer } from "../answer.ts";
import type { Client } from "../caller/client.ts";
import type { Hub } from "../hub.ts";
import { readEvents } from "./events.ts";
import type { Handler, Handlers } from "./handler.ts";
import { MESSAGES } from "./messages.ts";
import { PRESENCE } from "./presence.ts";
import { SCHEDULES } from "./schedules.ts";
import { TASKS } from "./tasks.ts";
import { TEMPLATES } from "./templates.ts";

/**
 * Performs one operation.
 *
 * @param params as they came; checked here, before anything happens.
 * @throws HubError at once when they are wrong, or the caller asks for too much; the promise rejects with one when the operation is refused.
 */
export function perform(hub: Hub, name: OperationName, params: unknown, client: Client): Promise<Answer> {
  hub.assertOpen();
  hub.rates.admit(name, client);
  const checked = validate(OPERATIONS[name].params, params);
  return (HANDLERS[name] as Handler<OperationName>)(hub, checked as never, client);
}

const HANDLERS: Handlers<OperationName> = {
  ...MESSAGES,
  ...TASKS,
  ...PRESENCE,
  ...SCHEDULES,
  ...TEMPLATES,
  events: readEvents,
  async info(hub) {
    const info = {
      name: "coordination-hub",
      version: hub.version,
      protocol: PROTOCOL_VERSION,
      epoch: hub.delivery.epoch,
      cursor: hub.head,
      time: iso(hub.clock.now()),
      limits: hub.limits,
    };
    return { value: JSON.stringify(info) };
  },
};
