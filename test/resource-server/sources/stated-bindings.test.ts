import test from "ava";
import { decideAccess } from "../../../src/oauth/access-token-decision.ts";
import { exact, readDialect, type DialectName } from "../../../src/resource-server/sources/dialects.ts";
import { readClaims, readIntrospection } from "../../../src/resource-server/sources/introspection-answer.ts";

const x5tS256 = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const other = "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw";
const full = { active: true, scope: "read", exp: 1_900_000_000, token_type: "Bearer" };
const now = 1_800_000_000_000;
const boundOnly = { right: true, other: false, none: false };
const nothing = { right: false, other: false, none: false };
const unbound = { right: true, other: true, none: true };

/** What a route that lets unbound tokens in makes of it: with the certificate, with another, with none. */
function opens(change: object, dialect: DialectName = "rfc7662") {
  const record = readIntrospection({ ...full, ...change }, readDialect(dialect));
  const holds = (certificate: { x5tS256: string } | undefined): boolean =>
    decideAccess(record.facts, { binding: "if-bound" }, certificate, now).granted;
  return { right: holds({ x5tS256 }), other: holds({ x5tS256: other }), none: holds(undefined) };
}

const binding: Record<string, object> = {
  "Janssen, Gluu": { "x5t#S256": x5tS256 },
  "Authlete's API": { certificateThumbprint: x5tS256 },
  padded: { "x5t#S256": `${x5tS256}=` },
  "beside a cnf that agrees": { "x5t#S256": x5tS256, cnf: { "x5t#S256": x5tS256 } },
  "twice, the same": { "x5t#S256": x5tS256, certificateThumbprint: x5tS256 },
  "a cnf in Hydra's ext": { ext: { cnf: { "x5t#S256": x5tS256 } } },
  "a thumbprint in Hydra's ext": { ext: { "x5t#S256": x5tS256 } },
  "a cnf in another object": { additional: { cnf: { "x5t#S256": x5tS256 } } },
  "a thumbprint in another object": { mtls: { "x5t#S256": x5tS256 } },
  "beside a cnf that says null elsewhere": { cnf: { "x5t#S256": x5tS256 }, certificateThumbprint: null },
};
for (const [what, change] of Object.entries(binding)) {
  test(`a binding outside of cnf binds: ${what}`, (t) => {
    t.deepEqual(opens(change), boundOnly);
    const record = readClaims({ ...full, ...change }, { ...exact, paddedThumbprint: true });
    t.is("accessToken" in record ? record.accessToken.x5tS256 : "", x5tS256);
  });
}

const refused: Record<string, object> = {
  "and a cnf with another": { "x5t#S256": x5tS256, cnf: { "x5t#S256": other } },
  "and another under another name": { "x5t#S256": x5tS256, certificateThumbprint: other },
  "and a cnf without one": { "x5t#S256": x5tS256, cnf: {} },
  "and a cnf that is not checked here": { "x5t#S256": x5tS256, cnf: { jkt: x5tS256 } },
  "and another in ext": { "x5t#S256": x5tS256, ext: { "x5t#S256": other } },
  hexadecimal: { "x5t#S256": Buffer.from(x5tS256, "base64url").toString("hex") },
  empty: { "x5t#S256": "" },
  "empty, in Authlete's API": { certificateThumbprint: "" },
  "a number": { certificateThumbprint: 1 },
  false: { "x5t#S256": false },
  "a list": { "x5t#S256": [x5tS256] },
  "an object": { "x5t#S256": { sha256: x5tS256 } },
  "WSO2's name": { "x5t#SHA256": x5tS256 },
  "in small letters": { "x5t#s256": x5tS256 },
  "in capital letters": { "X5T#S256": x5tS256 },
  "SHA-1": { x5t: "i1Z8xEy7Q3aOVuC9SGRYkIMtYH4" },
  "as an identifier": { x5tS256 },
  "with an underscore": { x5t_s256: x5tS256 },
  "of SHA-512": { "x5t#S512": x5tS256 },
  "in small letters, Authlete's API": { certificatethumbprint: x5tS256 },
  "with underscores": { certificate_thumbprint: x5tS256 },
  "of the client": { client_certificate_thumbprint: x5tS256 },
  "by another word": { "tls-client-cert-fingerprint": x5tS256 },
  "no more than the word": { thumbprint: x5tS256 },
  flattened: { "cnf.x5t#S256": x5tS256 },
  "flattened with an underscore": { cnf_jkt: x5tS256 },
  "a cnf in capital letters": { CNF: { "x5t#S256": x5tS256 } },
  "a cnf by its whole name": { confirmation: { "x5t#S256": x5tS256 } },
  "of a DPoP key": { jkt: x5tS256 },
  "of a DPoP key, by its whole name": { dpopKeyThumbprint: x5tS256 },
  "a cnf that is not checked here, in ext": { ext: { cnf: { jkt: x5tS256 } } },
  "a cnf that is not checked here, in another object": { claims: { cnf: { jkt: x5tS256 } } },
  "misspelt in another object": { mtls: { "x5t#s256": x5tS256 } },
  "and another in another object": { "x5t#S256": x5tS256, mtls: { "x5t#S256": other } },
  "as a certificate's hash": { cert_hash: x5tS256 },
  "as a certificate's digest": { client_cert_sha256: x5tS256 },
  "as a hash of TLS": { tls_client_certificate_hash: x5tS256 },
  "a binding type in another spelling": { bindingType: "client-certificate" },
  "a bound type in another member": { typ: "DPoP" },
};
for (const [what, change] of Object.entries(refused)) {
  test(`an unsupported binding outside of cnf always rejects: ${what}`, (t) => {
    t.deepEqual(opens(change), nothing);
  });
}

const elsewhere: Record<string, object> = {
  "a device's fingerprint": { device_fingerprint: "abc", fingerprint: "abc" },
  "a flag": { confirmation: true },
  "words that have the letters in them": { max5total: 1, x5team: "a", prefix5t: "b", cnfg: 1 },
  null: { "x5t#S256": null, certificateThumbprint: null, jkt: null },
  "hashes of other things": { at_hash: "a", c_hash: "a", s_hash: "a", password_digest: "a" },
  "an actor's": { act: { sub: "a", cnf: { "x5t#S256": other } }, may_act: { cnf: { jkt: x5tS256 } } },
  "a key's": { sub_jwk: { kty: "EC", "x5t#S256": other } },
  "another object's own matters": { device: { thumbprint: "abc", jkt: "abc", cnf: null }, address: { region: "x" } },
  "an ext without a binding": { ext: { department: "sales" } },
};
for (const [what, change] of Object.entries(elsewhere)) {
  test(`a value that is no binding binds no token: ${what}`, (t) => {
    t.deepEqual(opens(change), unbound);
  });
}

test("WSO2's name beside cnf binds with WSO2's dialect, and must agree with other bindings", (t) => {
  t.deepEqual(opens({ "x5t#SHA256": x5tS256 }, "wso2"), boundOnly);
  t.deepEqual(opens({ "x5t#SHA256": x5tS256, cnf: { "x5t#SHA256": x5tS256 } }, "wso2"), boundOnly);
  t.deepEqual(opens({ "x5t#SHA256": x5tS256, cnf: { "x5t#S256": other } }, "wso2"), nothing);
  t.deepEqual(opens({ "x5t#SHA256": x5tS256, scope: `read x5t#SHA256:${other}` }, "wso2"), nothing);
});

test("the operator learns which member it is, and which dialect would read it", (t) => {
  const remarkOf = (change: object) => {
    const record = readIntrospection({ ...full, ...change }, readDialect("rfc7662"));
    return "remark" in record ? record.remark : undefined;
  };
  t.regex(remarkOf({ "x5t#SHA256": x5tS256 }) ?? "", /dialect: "wso2"/);
  t.regex(remarkOf({ certificate_thumbprint: x5tS256 }) ?? "", /^certificate_thumbprint says that the token is bound/);
  t.regex(remarkOf({ "x5t#S256": x5tS256, cnf: { "x5t#S256": other } }) ?? "", /two different ones/);
  t.is(remarkOf({ "x5t#S256": x5tS256 }), undefined);
});
