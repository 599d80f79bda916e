"""The measures, one file each: pure functions of `cambist.analysis.facts.RunFacts`; see `cambist.analysis.catalog`."""
