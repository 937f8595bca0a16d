/**
 * Names of attribute types, in capitals; case does not matter (RFC 4514 §3, RFC 4519, RFC 5280). No name here is in use
 * with a second meaning; where two names are often confused, each has the meaning of its RFC.
 */
const objectIdentifiers: ReadonlyMap<string, string> = new Map([
  // RFC 4514 §3
  ["CN", "2.5.4.3"],
  ["L", "2.5.4.7"],
  ["ST", "2.5.4.8"],
  ["O", "2.5.4.10"],
  ["OU", "2.5.4.11"],
  ["C", "2.5.4.6"],
  ["STREET", "2.5.4.9"],
  ["DC", "0.9.2342.19200300.100.1.25"],
  ["UID", "0.9.2342.19200300.100.1.1"],
  // RFC 4519 §2, and the long forms of the above
  ["COMMONNAME", "2.5.4.3"],
  ["LOCALITYNAME", "2.5.4.7"],
  ["STATEORPROVINCENAME", "2.5.4.8"],
  ["ORGANIZATIONNAME", "2.5.4.10"],
  ["ORGANIZATIONALUNITNAME", "2.5.4.11"],
  ["COUNTRYNAME", "2.5.4.6"],
  ["STREETADDRESS", "2.5.4.9"],
  ["DOMAINCOMPONENT", "0.9.2342.19200300.100.1.25"],
  ["USERID", "0.9.2342.19200300.100.1.1"],
  ["SN", "2.5.4.4"],
  ["SURNAME", "2.5.4.4"],
  ["SERIALNUMBER", "2.5.4.5"],
  ["TITLE", "2.5.4.12"],
  ["T", "2.5.4.12"],
  ["DESCRIPTION", "2.5.4.13"],
  ["BUSINESSCATEGORY", "2.5.4.15"],
  ["POSTALCODE", "2.5.4.17"],
  ["NAME", "2.5.4.41"],
  ["GIVENNAME", "2.5.4.42"],
  ["GN", "2.5.4.42"],
  ["INITIALS", "2.5.4.43"],
  ["GENERATIONQUALIFIER", "2.5.4.44"],
  ["TELEPHONENUMBER", "2.5.4.20"],
  ["HOUSEIDENTIFIER", "2.5.4.51"],
  ["X500UNIQUEIDENTIFIER", "2.5.4.45"],
  ["DNQUALIFIER", "2.5.4.46"],
  ["PSEUDONYM", "2.5.4.65"],
  ["ORGANIZATIONIDENTIFIER", "2.5.4.97"],
  // RFC 2985 §5.2, by its usual names
  ["EMAILADDRESS", "1.2.840.113549.1.9.1"],
  ["EMAIL", "1.2.840.113549.1.9.1"],
  ["E", "1.2.840.113549.1.9.1"],
  ["UNSTRUCTUREDNAME", "1.2.840.113549.1.9.2"],
  ["UNSTRUCTUREDADDRESS", "1.2.840.113549.1.9.8"],
  // RFC 4524 §2.16: a different attribute from the one above, which nearly all certificates use
  ["MAIL", "0.9.2342.19200300.100.1.3"],
  ["RFC822MAILBOX", "0.9.2342.19200300.100.1.3"],
  // As Windows and Java print them
  ["S", "2.5.4.8"],
  ["G", "2.5.4.42"],
  ["I", "2.5.4.43"],
  ["GENERATION", "2.5.4.44"],
  ["DNQ", "2.5.4.46"],
  // CA/Browser Forum, EV guidelines §9.2.4
  ["JURISDICTIONL", "1.3.6.1.4.1.311.60.2.1.1"],
  ["JURISDICTIONLOCALITYNAME", "1.3.6.1.4.1.311.60.2.1.1"],
  ["JURISDICTIONST", "1.3.6.1.4.1.311.60.2.1.2"],
  ["JURISDICTIONSTATEORPROVINCENAME", "1.3.6.1.4.1.311.60.2.1.2"],
  ["JURISDICTIONC", "1.3.6.1.4.1.311.60.2.1.3"],
  ["JURISDICTIONCOUNTRYNAME", "1.3.6.1.4.1.311.60.2.1.3"],
]);

const numericForm = /^[0-2](?:\.(?:0|[1-9]\d{0,15}))+$/;

/** RFC 1779 and RFC 2253 §4: Java and Windows still write `OID.2.5.4.97`. */
const formerPrefix = /^OID\.(?=[0-9])/i;

/**
 * Returns the content octets of an attribute type's OBJECT IDENTIFIER in hexadecimal, given its name or its dotted
 * form, with or without the prefix `OID.`.
 *
 * `undefined` for an unknown name and for numbers that are not an object identifier (RFC 4512 §1.4).
 *
 * @example readAttributeType("CN") // "550403"
 */
export function readAttributeType(written: string): string | undefined {
  const numbers = written.replace(formerPrefix, "");
  const dotted = numericForm.test(numbers) ? numbers : objectIdentifiers.get(written.toUpperCase());
  return dotted === undefined ? undefined : encode(dotted.split(".").map(Number));
}

/** RFC 4514 §3: names that every implementation must know, by their type. */
const namesOfRfc4514: ReadonlyMap<string | undefined, string> = new Map(
  ["CN", "L", "ST", "O", "OU", "C", "STREET", "DC", "UID"].map((name) => [readAttributeType(name), name]),
);

/**
 * Returns the name of an attribute type in RFC 4514 §3; for any other type the name as written.
 *
 * @example canonicalTypeName("countryName") // "C"
 */
export function canonicalTypeName(written: string): string {
  const type = readAttributeType(written);
  return type === undefined ? written : (namesOfRfc4514.get(type) ?? written);
}

/**
 * X.690 §8.19: the first two arcs share a number; each number is split into groups of seven bits, all but the last
 * marked.
 */
function encode([root = 0, second = 0, ...others]: readonly number[]): string | undefined {
  if (root < 2 && second > 39) return undefined;
  const octets = [root * 40 + second, ...others].flatMap((arc) => {
    const groups = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift(128 + (rest % 128));
    return groups;
  });
  return Buffer.from(octets).toString("hex");
}
