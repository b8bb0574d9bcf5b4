package study

const opening = `# How often the estimators are right

Made by ` + "`make study`" + ` (` + "`parallax sim study`" + `), which also writes the table that every estimate prints. Do not edit: the
same seeds give the same report, and a test runs some of the worlds again.

Every figure is from simulated worlds whose truth is known. They are simpler than any real one, so a method that fails
here is not to be trusted, and one that does well here may still fail.

What is smaller than in a report: bootstraps have 200 resamples and choose again among the best 10 models (1,000 and 50
in a report); the latent-class sampler, which is dear, runs on the first 4 worlds of each arm and stands apart from the
other figures. A world has 4,000 people and four lists that reach 12, 20, 8 and 10 % of people of mean visibility.
`

const blindText = `Spread is the standard deviation of the log of how easily people are seen, the same for all lists. The simulated
ecosystem's own value is 0.8; nobody knows the real one, and **one table cannot tell**: the gates look at one table, and a
table from a world with unlike people looks like one from a smaller world with people who are alike.

A smooth spread shows as overlap between all pairs of lists, which models with many pairs take up: their intervals are wide and
often hold the truth, though every other member is far too low. Two sorts of people, of whom one is hardly ever seen, leave no such trace.

`

const methodText = `Errors are of the estimate against the true number. chao_mth is a lower bound where people differ; where accounts are closed
or links missed it lies above the truth like all others. chapman has a row for each pair of lists. Intervals are nominally 95 %;
those of loglinear_main take the model as given.
`

const samplerText = `Agreement means R-hat at most 1.05 and an effective sample of at least 400 from eight chains; otherwise the panel
withholds the member.

`

const moveText = `The truth is the same ratio with the same people in an arm without the takedown, same seed, in place of controls.
Since estimate and truth share the people of the venue, intervals hold it more often than 95 %; beside it stands how
often they hold the mean truth of all worlds, which they share nobody with. "Could tell" is an interval no wider than 0.5. The last column is what
truly became of everybody who left, seen or not and under any selector: the measure follows selectors, so **it is far below that
where new accounts take new ones**, and no interval shows this.

`
