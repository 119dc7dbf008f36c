/** The hub through its SDK: what a user of it gets. */
import { Missing } from "../os/missing.ts";
import type { Driver } from "./driver.ts";

export function openHubSdk(): Promise<Driver> {
  throw new Missing("the SDK is not there yet");
}
