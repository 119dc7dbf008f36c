/** For whoever watches over the process: alive, able to commit, and its metrics. */
import express, { type Router } from "express";
import type { Registry } from "prom-client";
import { explain, guarded } from "./edge.ts";
import type { RouterOptions } from "./router.ts";

/** @param measure begins to measure: a process that nobody asks is not woken a hundred times a second for it. */
export function makeProbes({ hub, guard, report }: RouterOptions, measure: () => Registry): Router {
  const router = express.Router();
  let measured: Registry | undefined;
  router.use(["/healthz", "/readyz", "/metrics"], guarded(guard));
  router.get("/healthz", (_request, response) => {
    response.json({ status: "alive" });
  });
  router.get("/readyz", async (_request, response) => {
    try {
      if (hub.closing.cancelled) throw new Error("the hub is shutting down");
      await hub.submit({ op: "probe" });
      response.json({ status: "ready" });
    } catch (error) {
      response.status(503).json({ status: "not ready", reason: (error as Error).message });
    }
  });
  router.get("/metrics", async (_request, response) => {
    measured ??= measure();
    response.type(measured.contentType).send(await measured.metrics());
  });
  router.use(explain(hub, report));
  return router;
}
