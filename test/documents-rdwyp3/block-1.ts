import { tokenEndpoint, type OnClientRefusal, type TokenEndpointOptions } from "certbound/authorization-server";

declare const backend: TokenEndpointOptions["backend"];

const onRefusal: OnClientRefusal = ({ endpoint, clientId, resultMessage, thumbprint, address }) => {
  console.warn(JSON.stringify({ endpoint, clientId, resultMessage, thumbprint, address }));
};
tokenEndpoint({ backend, realm: "https://as.example.com", onRefusal });

export {};
