import { type AdviceFor, aliasDisabled, clientLocked, fixRequest, refusal, sendOnce, unknownClient } from "./advice.ts";

/** The result codes of client authentication at every endpoint, each with its sentence for people. */
export const clientAuthenticationSentences = {
  A048307: "The client is locked.",
  A157301: "The client is confidential and has no method of authentication.",
  A157303: "A public client sent a secret.",
  A157304: "The client secret is missing.",
  A157305: "The client secret is wrong.",
  A157306: "The client assertion has no alg.",
  A157307: "The algorithm of the client assertion is not allowed for the client's secret.",
  A157308: "The algorithm of the client assertion is not allowed for the client's key.",
  A157309: "The request has no client_assertion_type.",
  A157310: "The client_assertion_type is not supported.",
  A157311: "The request has no client_assertion.",
  A157312: "The client assertion is not a JWT in canonical compact form.",
  A157313: "The client assertion has no iss.",
  A157314: "The iss of the client assertion is not the client.",
  A157315: "The client assertion has no sub.",
  A157316: "The sub of the client assertion is not the client.",
  A157317: "The client assertion has no aud.",
  A157318: "The aud of the client assertion is neither the issuer nor the endpoint.",
  A157319: "The exp of the client assertion is missing or not a number.",
  A157320: "The client assertion has expired.",
  A157321: "The client assertion is not valid yet (nbf).",
  A157322: "The client assertion was issued in the future (iat).",
  A157323: "The client assertion has no jti.",
  A157324: "The client assertion has been used before.",
  A157325: "The client has no key that fits the client assertion.",
  A157326: "The signature of the client assertion is wrong.",
  A157327: "The client certificate is missing.",
  A157328: "The client certificate cannot be read.",
  A157333: "The client certificate is not registered for this client.",
  A157335: "There is no trust anchor for the client certificate.",
  A157339: "The certificate path is not valid.",
  A157343: "The subject of the client certificate is not the registered one.",
  A157344: "The service does not support the client's authentication method.",
  A157346: "No dNSName of the client certificate is the registered one.",
  A157347: "No URI of the client certificate is the registered one.",
  A157348: "No iPAddress of the client certificate is the registered one.",
  A157349: "No rfc822Name of the client certificate is the registered one.",
  A157357: "The client credentials were not sent as the client's authentication method requires.",
  A157358: "The client assertion is valid for more than ten minutes.",
  A158301: "The request carries more than one client secret.",
  A158302: "The request contains client_assertion_type more than once.",
  A244301: "The request contains client_id more than once.",
  A244302: "The request contains client_assertion more than once.",
  A244303: "The client assertion, which has to identify the client, is not a JWT.",
  A244304: "The client assertion, which has to identify the client, has no iss.",
  A244305: "Nothing in the request identifies the client.",
  A244306: "The client is unknown.",
  A244307: "The client is named by its alias, which is not enabled.",
  A244308: "The client's tokens are bound to its certificate, and the request has no certificate.",
  A244309: "The client certificate cannot be read.",
} as const;

const algorithm = refusal(
  "Compare `alg` in the header of the assertion with `tokenAuthSignAlg` of the client, and with the type of its key.",
);
const assertionAudience = refusal(
  "Let the client put the service's `issuer`, or the address of the endpoint it calls, into `aud`. Compare with `issuer`, `tokenEndpoint` and `revocationEndpoint` in the configuration.",
);
const clocks = refusal("Compare the clock of the client with the clock of this machine; synchronise both.");
const noCertificate = refusal(
  "Let the client connect with its certificate. If it does, check the program that ends TLS in front of the front end: it has to request a certificate (`requestCert: true`, `rejectUnauthorized: false`) and pass it on (`docs/proxies.md`).",
);
const unreadable = refusal(
  "Check the program that passes the certificate on: `clientCertificate` has to be one certificate as PEM (`docs/proxies.md`). The reason is in brackets.",
);
const secret = refusal(
  "Compare the client's secret with `clientSecret` in the configuration. Many wrong secrets are guesses.",
);

/** The certificate is compared with the registered kind of name; `openssl x509` prints the certificate's name. */
const compare = (member: string, shows: string) =>
  refusal(`Compare what \`openssl x509 -in client.pem -noout ${shows}\` prints with \`${member}\` of the client.`);

/**
 * The next step for clients that failed to authenticate. They all get the same answer, so only the log has the reason.
 */
export const clientAuthenticationAdvice: AdviceFor<typeof clientAuthenticationSentences> = {
  A048307: clientLocked,
  A157301: refusal("Give the client a `tokenAuthMethod` other than `NONE`, or make it `clientType: PUBLIC`."),
  A157303: refusal("Let the client send no secret, or register it as `CONFIDENTIAL` with a method that has one."),
  A157304: refusal("Let the client send its secret as its `tokenAuthMethod` says: in the header or in the body."),
  A157305: secret,
  A157306: algorithm,
  A157307: algorithm,
  A157308: algorithm,
  A157309: refusal(
    "Let the client send `client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer` with its assertion.",
  ),
  A157310: refusal(
    "Let the client send `client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.",
  ),
  A157311: refusal("Let the client send `client_assertion`: its `tokenAuthMethod` demands one."),
  A157312: refusal("Let the client send the assertion unchanged: three parts of base64url without padding."),
  A157313: refusal("Let the client put its `client_id` into `iss`."),
  A157314: refusal("Let the client put its own `client_id` into `iss`, the same as in the request."),
  A157315: refusal("Let the client put its `client_id` into `sub`."),
  A157316: refusal("Let the client put its own `client_id` into `sub`, the same as in the request."),
  A157317: assertionAudience,
  A157318: assertionAudience,
  A157319: refusal("Let the client put the expiry of the assertion into `exp`: seconds since 1970, as a number."),
  A157320: clocks,
  A157321: clocks,
  A157322: clocks,
  A157323: refusal("Let the client put a new random `jti` into each assertion."),
  A157324: refusal(
    "Let the client make a new assertion with a new `jti` for each request. If it does, somebody has read one and sent it again.",
  ),
  A157325: refusal(
    "Compare `kid` and `alg` of the assertion with the keys in `jwks` of the client, or behind its `jwksUri`.",
  ),
  A157326: refusal("Compare the client's key with the one in `jwks` of the client, or behind its `jwksUri`."),
  A157327: noCertificate,
  A157328: unreadable,
  A157333: refusal(
    "Compare `thumbprint` with the certificates (`x5c`) in `jwks` of the client, or behind its `jwksUri`. Register a new certificate before the client uses it.",
  ),
  A157335: refusal("Add the issuing authority to `trustedRootCertificates` of the service or of the client."),
  A157339: refusal(
    "OpenSSL's reason is in brackets. `openssl verify -purpose sslclient -x509_strict -CAfile anchors.pem -untrusted path.pem client.pem` repeats it. Usual: the certificate has expired, its authority is not in `trustedRootCertificates`, an intermediate certificate is not sent, or the authority lacks `keyUsage`.",
  ),
  A157343: compare("tlsClientAuthSubjectDn", "-subject -nameopt RFC2253"),
  A157344: refusal("Add the client's `tokenAuthMethod` to `supportedTokenAuthMethods` of the service."),
  A157346: compare("tlsClientAuthSanDns", "-ext subjectAltName"),
  A157347: compare("tlsClientAuthSanUri", "-ext subjectAltName"),
  A157348: compare("tlsClientAuthSanIp", "-ext subjectAltName"),
  A157349: compare("tlsClientAuthSanEmail", "-ext subjectAltName"),
  A157357: refusal("Let the client authenticate by its `tokenAuthMethod`, and by no other method in the same request."),
  A157358: refusal("Let the client make an assertion for each request, with an `exp` a minute or two ahead."),
  A158301: refusal("Let the client send its secret once: in the header or in the body, as its `tokenAuthMethod` says."),
  A158302: sendOnce("client_assertion_type"),
  A244301: sendOnce("client_id"),
  A244302: sendOnce("client_assertion"),
  A244303: refusal("Let the client send `client_id`, or an assertion that is a JWT."),
  A244304: refusal("Let the client send `client_id`, or put it into `iss` of its assertion."),
  A244305: fixRequest("send `client_id`, in the Authorization header or in the body."),
  A244306: unknownClient,
  A244307: aliasDisabled,
  A244308: noCertificate,
  A244309: unreadable,
};
