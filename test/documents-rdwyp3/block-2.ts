import { trustedProxies } from "certbound";
import { forwardedAddress, nodeHandler, type Endpoints } from "certbound/authorization-server";

declare const endpoints: Endpoints;

const address = forwardedAddress({ from: trustedProxies(["10.0.0.7"]), header: "X-Forwarded-For" });
export const handler = nodeHandler(endpoints, { address });

export {};
