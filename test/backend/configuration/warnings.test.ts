import test from "ava";
import { warningsOf } from "../../../src/backend/configuration/warnings.ts";
import { createAuthority } from "../../support/certificates.ts";
import { clientSettings, serviceSettings } from "../../support/settings.ts";

test("an anchor that is an intermediate gives a warning: no path ends there", (t) => {
  const root = createAuthority({ subject: "CN=Root" });
  const intermediate = createAuthority({ subject: "CN=Intermediate", parent: root });
  const trustedRootCertificates = [root.certificate.pem, intermediate.certificate.pem];
  const client = clientSettings({ clientId: 1, trustedRootCertificates });
  const warnings = warningsOf([{ settings: serviceSettings({ trustedRootCertificates }), clients: [client] }]);
  t.deepEqual(
    warnings.map((warning) => warning.split(" is ")[0]),
    ["services[0].trustedRootCertificates[1]", "services[0].clients[0].trustedRootCertificates[1]"],
  );
});
