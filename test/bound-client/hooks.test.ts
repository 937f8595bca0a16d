import test from "ava";
import { clientAuthentication, type ClientAssertion } from "../../src/bound-client/client-authentication.ts";
import { createBoundDispatcher } from "../../src/bound-client/bound-dispatcher.ts";
import { failures } from "../support/failing-hooks.ts";
import { once } from "node:events";

const endpoint = { tokenEndpoint: "https://as.example.com/token" };
const signal = new AbortController().signal;

for (const [name, fail] of Object.entries(failures)) {
  test(`a clientAssertion that fails gives nobody a token and keeps nobody waiting: ${name}`, async (t) => {
    const authentication = { method: "private_key_jwt", clientAssertion: fail as ClientAssertion } as const;
    const failed = clientAuthentication("1", authentication, endpoint, { timeout: 50, signal }).then(
      () => false,
      () => true,
    );
    t.true(await failed);
  });
}

test("a clientAssertion that gives no text is the program's mistake", async (t) => {
  for (const given of [undefined, "", 1, {}]) {
    const authentication = { method: "private_key_jwt", clientAssertion: () => given as never } as const;
    await t.throwsAsync(clientAuthentication("1", authentication, endpoint, { timeout: 1000, signal }), {
      instanceOf: TypeError,
    });
  }
});

test.serial(
  "a dispatcher's handler that throws where it is told of a failure is a warning of the process",
  async (t) => {
    class Part {
      readonly of = "undici";
    }
    const dispatcher = createBoundDispatcher({ Agent: Part, Dispatcher: Part } as never, {
      current: () => ({}) as never,
      targetOf: () => ({ scope: "", resources: [] }),
      obtain: () => Promise.reject(new Error("No token.")),
    }) as unknown as { dispatch(options: object, handler: object): boolean };
    const warned = once(process, "warning") as Promise<[Error]>;
    const onResponseError = (): never => {
      throw new Error("The handler's own fault.");
    };
    dispatcher.dispatch({ origin: "https://api.example.com" }, { onResponseError });
    t.is((await warned)[0].message, "The handler's own fault.");
  },
);
