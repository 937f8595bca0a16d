import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules", "build", "try", "test/vectors"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      // Node-style getters named in wire records (x5t#S256) need brackets under noPropertyAccessFromIndexSignature.
      "@typescript-eslint/dot-notation": "off",
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "ObjectExpression > SpreadElement > ConditionalExpression > ObjectExpression[properties.length=0]",
          message: "Write a conditional member as `...(x !== undefined && { x })`.",
        },
      ],
    },
  },
  // More values than these belong together and have a name: a context, options, a record.
  { files: ["src/**/*.ts"], rules: { "max-params": ["error", 5] } },
  { files: ["src/backend/**/*.ts"], rules: { "max-params": ["error", 4] } },
  { files: ["examples/**/*.ts", "tools/**/*.ts", "bench/**/*.ts"], rules: { "no-console": "off" } },
);
