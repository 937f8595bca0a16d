import { readWrittenName } from "../../x509/read-distinguished-name.ts";
import { respellDistinguishedName } from "../../x509/respell-distinguished-name.ts";
import { howToPrintSubject } from "./explain-subject.ts";

/** Sentences about a registered distinguished name that can be read and perhaps matches no certificate. */
export function* ofSubjectDn(text: string, at: string): Generator<string> {
  const path = `${at}.tlsClientAuthSubjectDn`;
  const respelt = respellDistinguishedName(text);
  if (respelt !== undefined) {
    yield `${path} has its most general part first, as openssl x509 -subject prints it; RFC 4514 writes the most specific first, and the reverse never matches: write "${respelt}", unless ${howToPrintSubject} prints it as it is here`;
  }
  for (const { typeText, valueText } of readWrittenName(text).flat()) {
    if (valueText === "") {
      yield `${path} has an empty value for ${typeText}: it matches only a certificate in which that value is empty`;
    }
    if (/^(?:mail|rfc822Mailbox)$/i.test(typeText)) {
      yield `${path} has mail, which is 0.9.2342.19200300.100.1.3 (RFC 4524): the e-mail address in a certificate's subject is nearly always emailAddress, 1.2.840.113549.1.9.1`;
    }
    if (/^SN$/i.test(typeText) && /\d/.test(valueText)) {
      yield `${path} has SN, which is the surname (RFC 4519): for a serial number write serialNumber`;
    }
  }
}
