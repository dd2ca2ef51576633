// Bundles our sources and the npm packages they use into static/dist.
import { build } from "esbuild";

const bundles = {
  embed: ["static/js/embed.js"],
  widget: ["static/js/widget/main.js", "static/css/widget.css"],
  dashboard: ["static/js/dashboard/main.js", "static/css/dashboard.css"],
  demo: ["static/js/demo.js", "static/css/demo.css"],
};

const entryPoints = Object.entries(bundles).flatMap(([out, sources]) =>
  sources.map((source) => ({ in: source, out })),
);

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
