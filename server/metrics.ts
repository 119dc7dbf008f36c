/** What a Prometheus server is told of the hub. */
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Hub } from "./hub/hub.ts";
import type { SocketServer } from "./transport/socket/server.ts";

export function makeMetrics(hub: Hub, sockets: SocketServer): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "coordination_" });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `coordination_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge("sockets", "Open sockets", () => sockets.connections);
  gauge("sessions", "Open readers of the log", () => hub.delivery.sessions);
  gauge("log_head", "Seq of the newest log entry", () => hub.delivery.head);
  gauge("instances_online", "Instances that are online", () => hub.presence.online);
  new Gauge({
    name: "coordination_messages",
    help: "Messages by status",
    labelNames: ["status"],
    registers: [registry],
    async collect() {
      const counts = await hub.store.counts().catch(() => ({})); // all else is told also while the store cannot be asked
      this.reset();
      for (const [status, count] of Object.entries(counts)) this.set({ status }, count);
    },
  });
  return registry;
}
