-- The requests of wrk. Each one is a random line of the file that the first argument names:
--     GET path
--     POST path body
-- An @ in a body is replaced by a unique text, which begins with the second argument. The third
-- argument is a key for the header Authorization.

local number_of_threads = 0

function setup(thread)
    number_of_threads = number_of_threads + 1
    thread:set("thread_number", number_of_threads)
end

function init(args)
    math.randomseed(thread_number)
    prefix = args[2] .. "-" .. thread_number .. "-"
    wrk.headers["Authorization"] = args[3] and "Bearer " .. args[3]
    requests, sent = {}, 0
    for line in io.lines(args[1]) do
        local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
        if method == "GET" then
            requests[#requests + 1] = wrk.format(method, path)
        else
            local before, after = body:match("^(.*)@(.*)$")
            requests[#requests + 1] = { path = path, before = before, after = after }
        end
    end
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    local chosen = requests[math.random(#requests)]
    if type(chosen) == "string" then
        return chosen
    end
    sent = sent + 1
    return wrk.format("POST", chosen.path, nil, chosen.before .. prefix .. sent .. chosen.after)
end

-- The result, as one line of JSON.
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "failed": %d, "median_ms": %f, "p99_ms": %f}\n',
        summary.requests, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
    ))
end
