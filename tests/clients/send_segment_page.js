// Send by Segment's script of a page, in batches or one by one.
window.send = async ({ host, key, events, batching }) => {
  const deliveryStrategy = batching && { strategy: "batching", config: { size: 100, timeout: 500 } };
  const [analytics] = await AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnURL: host },
    { integrations: { "Segment.io": { deliveryStrategy } } },
  );
  analytics.page("Pricing", {}, { messageId: "p" });
  for (let n = 0; n < events; n++) {
    const sent = analytics.track("Item Viewed", { n, at: (window.trueTime ?? Date.now)() }, { messageId: `t${n}` });
    if (!batching || n % 50 === 49) await sent; // all at once its queue takes a minute
  }
  await analytics.identify("u1", { email: "ada@example.com", plan: "pro" }, { messageId: "i" });
  analytics.screen("Home", {}, { messageId: "s" });
  analytics.group("g1", { name: "Initech" }, { messageId: "g" });
  await analytics.alias("u1", { messageId: "a" });
};
