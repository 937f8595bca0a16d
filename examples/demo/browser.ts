import type { Answer, Call } from "./request.ts";

/** A user's browser: it stores cookies and sends forms. It has no certificate. */
export interface Browser {
  readonly open: (url: string) => Promise<Page>;
}

export interface Page {
  readonly answer: Answer;
  readonly title: string | undefined;
  /** Sends the page's form: its hidden and ticked fields, overridden by what the user typed and clicked. */
  readonly submit: (typed: Readonly<Record<string, string>>) => Promise<Page>;
}

/** Opens a browser that sends its requests through `send`. */
export function openBrowser(send: (call: Call) => Promise<Answer>): Browser {
  const cookies = new Map<string, string>();

  async function go(call: Call): Promise<Page> {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const answer = await send({ ...call, headers: { ...call.headers, ...(cookie === "" ? {} : { cookie }) } });
    for (const line of answer.cookies) {
      const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return {
      answer,
      title: /<title>([^<]*)</.exec(answer.body)?.[1],
      submit(typed) {
        const form = new URLSearchParams([...fieldsOf(answer.body), ...Object.entries(typed)]);
        // The form's action is "?": the page's URL without its query.
        const [url = ""] = call.url.split("?");
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        return go({ method: "POST", url, headers, body: form.toString() });
      },
    };
  }

  return { open: (url) => go({ method: "GET", url }) };
}

/** The fields that the untouched form would send. No value of this page has entities. */
function fieldsOf(body: string): [string, string][] {
  return [...body.matchAll(/<input type="(?:hidden|checkbox)" name="([^"]*)" value="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, value],
  );
}
