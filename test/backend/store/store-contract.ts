import type { ExecutionContext, TestFn } from "ava";
import type { Store } from "../../../src/backend/store/store.ts";
import { configurationChecks, otherSourceChecks } from "./checks/configuration-checks.ts";
import { driverChecks } from "./checks/driver-checks.ts";
import { managementChecks } from "./checks/management-checks.ts";
import { refreshChecks } from "./checks/refresh-checks.ts";
import { removalChecks } from "./checks/removal-checks.ts";
import { ticketChecks } from "./checks/ticket-checks.ts";
import { tokenChecks } from "./checks/token-checks.ts";
import { twoServices } from "./commands.ts";

/** A fresh, empty store, and what its driver can do past the interface. */
interface StoreUnderTest {
  readonly store: Store;
  /** Runs SQL past the store, where something else can reach the database; needed to make rows of other sources. */
  readonly execute?: (sql: string) => void | Promise<void>;
}

/** Opens a fresh store and arranges for its end after the test. */
export type OpenStore = (t: ExecutionContext) => Promise<StoreUnderTest>;

/** Registers the store's contract as tests of one driver; one after the other, for each store has a thread of its own. */
export function storeContract(test: TestFn, driver: string, open: OpenStore, canExecute: boolean): void {
  for (const [title, check] of Object.entries({ ...driverChecks, ...configurationChecks, ...tokenChecks })) {
    test.serial(`${driver}: ${title}`, async (t) => {
      await check(t, (await open(t)).store);
    });
  }
  const onTwoServices = { ...ticketChecks, ...refreshChecks, ...managementChecks, ...removalChecks };
  for (const [title, check] of Object.entries(onTwoServices)) {
    test.serial(`${driver}: ${title}`, async (t) => {
      const { store } = await open(t);
      await store.run(twoServices());
      await check(t, store);
    });
  }
  if (!canExecute) return;
  for (const [title, check] of Object.entries(otherSourceChecks)) {
    test.serial(`${driver}: ${title}`, async (t) => {
      const { store, execute } = await open(t);
      if (execute === undefined) throw new Error("the driver said that it can execute SQL");
      await store.run(twoServices());
      await execute(`UPDATE client SET source = 'management' WHERE client_id = 11`);
      await check(t, store);
    });
  }
}
