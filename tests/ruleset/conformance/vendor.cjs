// Writes data/*.json and suites.json from an unpacked npm package `@bufbuild/cel-spec` (README.md):
//   npm pack @bufbuild/cel-spec@0.6.1 && tar xzf bufbuild-cel-spec-0.6.1.tgz && node vendor.cjs ./package
// One test a line, exactly as the package has it, without what it adds from another implementation (trees, types).
const fs = require("fs");
const path = require("path");

const VENDORED =
  "basic comparisons conversions fields fp_math integer_math lists logic macros parse plumbing string string_ext timestamps type_deductions".split(
    " ",
  );
const { tests: root } = require(path.resolve(process.argv[2], "dist/cjs/testdata/conformance.js"));
const line = (value) => JSON.stringify(value, (_, x) => (typeof x === "bigint" ? String(x) : x));

const counts = {};
for (const suite of root.suites) {
  const sections = suite.suites?.length ? suite.suites : [suite];
  counts[suite.name] = sections.reduce((sum, section) => sum + (section.tests ?? []).length, 0);
  if (!VENDORED.includes(suite.name)) continue;
  const blocks = sections.map(
    (section) => `${line(section.name)}: [\n${section.tests.map((test) => line(test.original)).join(",\n")}\n]`,
  );
  fs.writeFileSync(path.join(__dirname, "data", `${suite.name}.json`), `{\n${blocks.join(",\n")}\n}\n`);
}
fs.writeFileSync(path.join(__dirname, "suites.json"), `${JSON.stringify(counts, null, 1)}\n`);
