-- wrk: sends the requests of a file, one after the other. They are whole HTTP requests, signed before the run, since no
-- script could sign thousands a second; between two of them is a line with the single character RS.

local requests, count, at = {}, 0, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local all = file:read("*a")
   file:close()
   local from = 1
   while true do
      local first, last = all:find("\n\30\n", from, true)
      if not first then break end
      count = count + 1
      requests[count] = all:sub(from, first - 1)
      from = last + 1
   end
end

function request()
   at = at + 1
   -- Whoever comes to the end has found a server that is faster than expected; it begins anew, and is refused.
   if at > count then at = 1 end
   return requests[at]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format("figures %d %.6f %d %d %.3f %.3f\n", summary.requests, summary.duration / 1e6,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
