import { hash } from "node:crypto";

/** The one script of the page; always the same text, so that a policy can name it by its hash. */
const script = "document.forms[0].submit()";

/**
 * The source of the page's script for `script-src` (CSP Level 3 §2.3.1), quotes included.
 *
 * Whoever sends the page under a policy of its own names it there; without it the button has to be pressed.
 */
export const formPostScriptSource = `'sha256-${hash("sha256", script, "base64")}'`;

/** For the page itself; a policy in a header can only narrow it. No `form-action`: the client answers by redirecting. */
const policy = `default-src 'none'; script-src ${formPostScriptSource}; base-uri 'none'`;

/**
 * The HTML page that carries an authorization response to the client as a form (OAuth 2.0 Form Post Response Mode §2).
 *
 * It submits itself; where scripts do not run, it has a button. Every value is escaped, and no address refers to it.
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

/** Parameters of an authorization response; those without value are left out. */
export type ResponseParameters = Readonly<Record<string, string | undefined>>;

/** The parameters that have a value, in their order. */
function givenParameters(parameters: ResponseParameters): [name: string, value: string][] {
  return Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/**
 * The address that carries an authorization response in its query (RFC 6749 §4.1.2): the redirect URI as it was
 * registered, its own query kept, with the parameters after it.
 *
 * The URI must have no fragment, as no redirect URI has (RFC 6749 §3.1.2).
 *
 * @example authorizationResponseUrl("https://client.example.com/cb?a=1", { code: "x y" }) // "https://client.example.com/cb?a=1&code=x+y"
 */
export function authorizationResponseUrl(redirectUri: string, parameters: ResponseParameters): string {
  const query = new URLSearchParams(givenParameters(parameters)).toString();
  if (!redirectUri.includes("?")) return `${redirectUri}?${query}`;
  return /[?&]$/.test(redirectUri) ? redirectUri + query : `${redirectUri}&${query}`;
}
