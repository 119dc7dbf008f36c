import { makeIds } from "../../../server/store/ids.ts";
import { MemoryStore } from "../../../server/store/memory/memoryStore.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { storeConformance } from "./conformance.ts";

storeConformance(
  "MemoryStore",
  (lease, _file, bounds = LIMITS) => new MemoryStore({ lease, bounds, newId: makeIds(), random: Math.random }),
);
