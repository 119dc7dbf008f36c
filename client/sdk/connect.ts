import { Hub } from "./hub.ts";
import { type ConnectOptions, toConfig } from "./options.ts";

/**
 * Connects to a hub and stays connected until `close()`: lost lines come back by themselves, events go on where they
 * stopped, and where sockets are blocked everything goes over HTTP.
 *
 * @throws HubUnreachable when nobody answers within `timeout_ms`; HubError or HubRefused when the hub refuses this
 *   client; TypeError when an option is wrong.
 * @example
 * const hub = await connect({ as: "ada" });
 * const task = await hub.send({ to_claude: "bob", task: "count the files in src" });
 * console.log((await task.result()).result);
 * await hub.close();
 */
export async function connect(options: ConnectOptions = {}): Promise<Hub> {
  return Hub.open(toConfig(options));
}
