import { makeIds } from "../../../server/store/engine/ids.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { storeConformance } from "./conformance.ts";
import { MemoryStore } from "./memory/memoryStore.ts";

storeConformance(
  "MemoryStore",
  (lease, _file, bounds = LIMITS) => new MemoryStore({ lease, bounds, newId: makeIds(), random: Math.random }),
);
