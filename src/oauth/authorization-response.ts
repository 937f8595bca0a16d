import { hash } from "node:crypto";

/** The only script of the page. Its text is constant, so that a policy can allow it by hash. */
const script = "document.forms[0].submit()";

/**
 * The source of the page's script for `script-src` (CSP Level 3 §2.3.1), including quotes.
 *
 * A server that sends the page with its own policy must include it; otherwise the user has to press the button.
 */
export const formPostScriptSource = `'sha256-${hash("sha256", script, "base64")}'`;

/** The policy in the page; a header can only restrict it further. No `form-action`, because the client redirects. */
const policy = `default-src 'none'; script-src ${formPostScriptSource}; base-uri 'none'`;

/**
 * Writes the HTML page that posts an authorization response to the client (OAuth 2.0 Form Post Response Mode §2).
 *
 * It submits itself, or has a button if scripts are disabled. All values are escaped, and no referrer is sent.
 *
 * @example formPostPage("https://client.example.com/cb", { code: "x", state: "y" })
 */
export function formPostPage(redirectUri: string, parameters: ResponseParameters): string {
  const inputs = givenParameters(parameters).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">\n`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="referrer" content="no-referrer">
<title>Continue</title>
</head>
<body>
<form method="post" action="${escapeHtml(redirectUri)}">
${inputs.join("")}<noscript><p>Press the button to go back to the application.</p></noscript>
<button>Continue</button>
</form>
<script>${script}</script>
</body>
</html>
`;
}

const references: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => references[character] ?? "");
}

/** Parameters of an authorization response; those that are `undefined` are left out. */
export type ResponseParameters = Readonly<Record<string, string | undefined>>;

/** The parameters that have a value, in their order. */
function givenParameters(parameters: ResponseParameters): [name: string, value: string][] {
  return Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/**
 * Returns the redirect URI with the authorization response in its query (RFC 6749 §4.1.2), after the URI's own query.
 *
 * The URI must not have a fragment (RFC 6749 §3.1.2).
 *
 * @example authorizationResponseUrl("https://client.example.com/cb?a=1", { code: "x y" }) // "https://client.example.com/cb?a=1&code=x+y"
 */
export function authorizationResponseUrl(redirectUri: string, parameters: ResponseParameters): string {
  const query = new URLSearchParams(givenParameters(parameters)).toString();
  if (!redirectUri.includes("?")) return `${redirectUri}?${query}`;
  return /[?&]$/.test(redirectUri) ? redirectUri + query : `${redirectUri}&${query}`;
}
