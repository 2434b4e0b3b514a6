-- wrk -s load.lua URL -- BODIES [PAUSE]: posts the lines of the file BODIES in turn as JSON. With a
-- PAUSE, every connection waits so many milliseconds before each request, by chance (exponentially)
-- and on average. Its last line is JSON: requests, seconds, errors, p50 and p99 in milliseconds.
local requests, nth, pause = {}, 0, nil

function init(args)
  math.randomseed(os.time())
  pause = tonumber(args[2])
  for body in io.lines(args[1]) do
    table.insert(requests, wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, body))
  end
  if pause then
    delay = function() return math.floor(0.5 - pause * math.log(1 - math.random())) end
  end
end

function request()
  nth = nth % #requests + 1
  return requests[nth]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
