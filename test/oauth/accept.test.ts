import test from "ava";
import { prefersMediaType } from "../../src/oauth/accept.ts";

const signed = "application/token-introspection+jwt";
const plain = "application/json";

const asked = {
  "named alone": signed,
  "in capitals": "Application/Token-Introspection+JWT",
  "beside ranges": `${signed}, */*`,
  "beside its family": `application/*, ${signed}`,
  "at the same weight": `${plain}, ${signed}`,
  "the heavier": `${plain};q=0.8,${signed};q=0.9`,
  "the heavier by default": `${plain}; q=0.999, ${signed}`,
  "where the other is refused": `${plain};q=0, ${signed};q=0.001`,
  "with a parameter": `${signed};profile="x"`,
  "where the other's weight cannot be read": `${plain};q=2, ${signed};q=0.1`,
  "where a lighter range speaks of the other": `${signed};q=0.5, */*;q=0.1`,
  "where the other is refused in spite of its family": `${plain};q=0, application/*;q=0.9, ${signed};q=0.1`,
  "twice, once the heavier": `${signed};q=0.1, ${plain};q=0.5, ${signed}`,
};

const notAsked = {
  nothing: "",
  "anything at all": "*/*",
  "the family": "application/*",
  "the family, where the usual one is refused": `application/*, ${plain};q=0`,
  "the usual one": plain,
  "the lighter": `${signed};q=0.5, ${plain}`,
  "the lighter than any": `${signed};q=0.5, */*`,
  "the lighter than its family": `${signed};q=0.5, application/*;q=0.6`,
  refused: `${signed};q=0`,
  "refused with decimals": `${signed};q=0.000, ${plain};q=0`,
  "with a weight above one": `${signed};q=1.5`,
  "with a weight that is none": `${signed};q=high`,
  "with an empty weight": `${signed};q=`,
  "with a negative weight": `${signed};q=-1`,
  "with four decimals": `${signed};q=0.1234`,
  "with something behind it": `${signed}x`,
  "with something before it": `x${signed}`,
  "a parameter that names it": `text/plain;a=${signed}`,
};

for (const [what, accept] of Object.entries(asked)) {
  test(`asked for: ${what}`, (t) => {
    t.true(prefersMediaType(accept, signed, plain));
  });
}

for (const [what, accept] of Object.entries(notAsked)) {
  test(`not asked for: ${what}`, (t) => {
    t.false(prefersMediaType(accept, signed, plain));
  });
}
