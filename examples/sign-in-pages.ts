/** The pages of the example authorization server. `html` escapes each value as text. */
import { html, type Pages, type ScopeView } from "certbound/authorization-server";

const style = `
body { font: 1rem/1.5 system-ui, sans-serif; background: #f4f4f6; margin: 0 }
main { max-width: 22rem; margin: 10vh auto; padding: 2rem; background: #fff; border-radius: .5rem }
h1 { font-size: 1.2rem; overflow-wrap: anywhere }
label { display: block; margin: .75rem 0 }
input:not([type=checkbox]) { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit }
button { padding: .5rem 1rem; margin: 1rem .5rem 0 0; font: inherit }
.problem { color: #a00 }`;

/** Without openid there is no sign-in, so the user cannot untick it. */
const scopeField = ({ name, description }: ScopeView) =>
  name === "openid"
    ? html`<input type="hidden" name="scope" value="${name}" />`
    : html`<label><input type="checkbox" name="scope" value="${name}" checked /> ${description ?? name}</label>`;

export const pages: Pages = {
  style,

  login: ({ client, loginHint, wrongCredentials, retryAfter, form }) => ({
    title: "Sign in",
    body: html`<main>
      <h1>Sign in to continue to ${client.name}</h1>
      ${wrongCredentials && html`<p class="problem" role="alert">The name or the password is wrong.</p>`}
      ${
        retryAfter !== undefined &&
        html`<p class="problem" role="alert">Too many attempts. Please try again in ${retryAfter} seconds.</p>`
      }
      ${form(
        html`<label>Name <input name="username" value="${loginHint}" autocomplete="username" required /></label>
          <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
          <button name="decision" value="login">Sign in</button>
          <button name="decision" value="cancel" formnovalidate>Cancel</button>`,
      )}
    </main>`,
  }),

  consent: ({ client, subject, scopes, claims, resources, form }) => ({
    title: "Allow access",
    body: html`<main>
      <h1>${client.name} asks for access</h1>
      <p>You are signed in as ${subject}.</p>
      ${claims.length > 0 && html`<p>It wants to know of you: ${claims.join(", ")}.</p>`}
      ${resources.length > 0 && html`<p>It is for ${resources.join(", ")}.</p>`}
      ${form(
        html`${scopes.map(scopeField)}
          <button name="decision" value="allow">Allow</button>
          <button name="decision" value="deny">Deny</button>
          <button name="decision" value="switch">Use another account</button>`,
      )}
    </main>`,
  }),
};
