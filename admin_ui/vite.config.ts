import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/staff/",
  plugins: [react()],
  build: { target: "chrome94", chunkSizeWarningLimit: 1500 },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/static": "http://127.0.0.1:8000" } },
  test: { environment: "jsdom", setupFiles: "src/setupTests.ts", css: false },
} as Parameters<typeof defineConfig>[0]);
