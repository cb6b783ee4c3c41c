// Send by RudderStack's script of a page, in batches or one by one. It makes the ids of its messages itself.
window.send = async ({ host, key, events, batching }) => {
  const analytics = new rudderanalytics.RudderAnalytics();
  const queueOptions = { batch: { enabled: batching, maxItems: 100, flushInterval: 500 } };
  analytics.load(key, host, { configUrl: host, queueOptions });
  await new Promise((resolve) => analytics.ready(resolve));
  analytics.page("Pricing");
  for (let n = 0; n < events; n++) {
    analytics.track("Item Viewed", { n, at: (window.trueTime ?? Date.now)() });
    // Whatever is sent at once waits for one of the browser's few connections, with its time of sending in it.
    if (!batching) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  analytics.identify("u1", { email: "ada@example.com", plan: "pro" });
  analytics.group("g1", { name: "Initech" });
  analytics.alias("u1");
};
