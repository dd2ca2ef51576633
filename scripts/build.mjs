// Bundles our sources and the npm packages they use into static/dist.
import { existsSync } from "node:fs";
import { build } from "esbuild";

const bundles = {
  embed: ["static/js/embed.js"],
  widget: ["static/js/widget/main.js", "static/css/widget.css"],
  dashboard: ["static/js/dashboard/main.js", "static/css/dashboard.css"],
  demo: ["static/js/demo.js", "static/css/demo.css"],
};

const entryPoints = [];
for (const [out, sources] of Object.entries(bundles)) {
  for (const source of sources) {
    if (existsSync(source)) {
      entryPoints.push({ in: source, out });
    } else if (out !== "demo") {
      console.log(`Not there yet: ${source}`);
    }
  }
}

try {
  await build({
    entryPoints,
    outdir: "static/dist",
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2020",
    charset: "utf8",
    legalComments: "none",
    loader: { ".woff2": "file", ".ttf": "empty", ".svg": "dataurl" },
    assetNames: "fonts/[name]",
    logLevel: "warning",
  });
} catch {
  process.exit(1);
}
